import type { FlockEvent } from "@flock-ts/protocol";
import { create } from "zustand";
import { eventsUrl } from "../connection/config.ts";
import { getJson } from "../connection/rest.ts";
import { adjust, currentRoute, onRoute } from "../router/route.ts";
import { seqAt, type Whereabouts } from "../timeline/parse-position.ts";
import { Playback } from "../timeline/playback.ts";
import { useSession } from "./store.ts";
import { isHere, knownTimeline, showAt, shown, shownTimeline } from "./view.ts";

/** How fast the past is played, in times of the real thing; null while it stands. */
export const usePlaying = create<{ readonly speed: number | null }>(() => ({ speed: null }));

/** The speeds to choose from. */
export const SPEEDS = [1, 2, 5, 10, 25, 100] as const;

/** Keeps what is shown in step with the address: the seq in it is where the viewer has travelled to. */
export function followPlace(): void {
  const follow = () => showAt(currentRoute().seq);
  onRoute(follow);
  follow();
}

/** Shows every screen at a seq. */
export function travelTo(seq: number): void {
  const { oldest, last } = useSession.getState();
  adjust({ seq: Math.max(Math.min(oldest, last), Math.min(last, Math.round(seq))) });
}

/** The seq of a place that somebody has typed. The server is asked about what lies before the events that are here. */
export async function seqOf(where: Whereabouts): Promise<number> {
  if ("seq" in where) return where.seq;
  return seqAt(knownTimeline().log(), where.moment) ?? seqLongAgo(where.moment);
}

/** The seq of the newest event up to a moment before all events that are here; the oldest one when that is later. */
async function seqLongAgo(moment: number): Promise<number> {
  const { config, file, from, first, oldest } = useSession.getState();
  if (!config || file !== null || oldest >= from) return first;
  let [low, high] = [oldest, from];
  let found = oldest;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { events } = await getJson<{ readonly events: readonly FlockEvent[] }>(
      eventsUrl(config, { after: middle - 1, limit: 1 }),
    );
    const event = events[0];
    if (event && event.seq < high && Date.parse(event.timestamp) <= moment) {
      found = event.seq;
      low = event.seq + 1;
    } else high = middle;
  }
  return found;
}

/** Shows every screen at such a place. */
export async function travelToPlace(where: Whereabouts): Promise<void> {
  pause();
  travelTo(await seqOf(where));
}

/** Plays faster or slower by one of the speeds; begins to play when nothing is being played. */
export function changeSpeed(direction: 1 | -1): void {
  const { speed } = usePlaying.getState();
  const index = SPEEDS.indexOf(speed as (typeof SPEEDS)[number]) + direction;
  play(speed === null ? 1 : (SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, index))] as number));
}

/** Shows what happens now. */
export function goLive(): void {
  pause();
  adjust({ seq: null });
}

/** Shows the state some events later, or earlier when `count` is negative. */
export function step(count: number): void {
  pause();
  const log = shownTimeline().log();
  const event = log.at(Math.max(0, log.indexOf(shownSeq()) + count));
  travelTo(event && event.seq !== shownSeq() ? event.seq : beyond(count < 0 ? -1 : 1));
}

/** The seq next to the events around the one that is shown. */
function beyond(direction: 1 | -1): number {
  const { past, from, last } = useSession.getState();
  if (direction === -1) return (past?.from ?? from) - 1;
  return past ? past.to + 1 : last;
}

/** Seqs that are looked through for a failure in one go, where they have to be read for that. */
const SEARCHED = 200_000;

/**
 * Shows the next failure after what is shown, or the one before it. Resolves to how it went: where there is none, what was
 * shown is shown; where there was much to read, the end of that.
 */
export async function toError(direction: 1 | -1): Promise<"found" | "none" | "none nearby"> {
  pause();
  const origin = currentRoute().seq;
  const began = origin ?? useSession.getState().last + 1;
  for (let from = began + direction; ; ) {
    const failure = failureFrom(from, direction);
    if (failure !== undefined) {
      travelTo(failure);
      return "found";
    }
    from = beyond(direction);
    const { oldest, past } = useSession.getState();
    if (direction === 1 ? !past : from < oldest) {
      adjust({ seq: origin });
      return "none";
    }
    if (Math.abs(from - began) > SEARCHED) return "none nearby";
    travelTo(from);
    await shown();
    // It could not be read, or the viewer has gone elsewhere.
    if (currentRoute().seq !== from || !isHere(from)) return "none nearby";
  }
}

/** The first failure from a seq on, or the last one up to it, among the events around the one that is shown. */
function failureFrom(seq: number, direction: 1 | -1): number | undefined {
  const log = shownTimeline().log();
  let index = direction === 1 ? log.indexOf(seq - 1) + 1 : log.indexOf(seq);
  for (let event = log.at(index); event && index >= 0; event = log.at(index)) {
    if (isFailure(event)) return event.seq;
    index += direction;
  }
  return undefined;
}

/** Whether an event tells of a failure. */
export function isFailure(event: FlockEvent): boolean {
  return event.type === "agent_execution_completed" && (event.status === "error" || event.status === "timeout");
}

/** Plays on from what is shown; from the beginning when that is the end. */
export function play(speed: number): void {
  pause();
  const { first, last, at } = useSession.getState();
  if (at === null || at >= last) travelTo(first);
  usePlaying.setState({ speed });
  void playOn(speed);
}

async function playOn(speed: number): Promise<void> {
  await shown();
  const { first } = useSession.getState();
  const played = shownTimeline();
  const playback = new Playback(played.log(), currentRoute().seq ?? first);
  let before = performance.now();
  const frame = (now: number) => {
    if (usePlaying.getState().speed !== speed) return;
    const seq = playback.advance((now - before) * speed);
    before = now;
    if (seq !== currentRoute().seq) travelTo(seq);
    if (!playback.isOver) requestAnimationFrame(frame);
    else if (played === knownTimeline()) pause();
    else {
      travelTo(beyond(1));
      void playOn(speed);
    }
  };
  requestAnimationFrame(frame);
}

/** Stops where it is. */
export function pause(): void {
  if (usePlaying.getState().speed !== null) usePlaying.setState({ speed: null });
}

function shownSeq(): number {
  return currentRoute().seq ?? useSession.getState().last;
}
