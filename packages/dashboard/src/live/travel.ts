import type { FlockEvent } from "@flock/protocol";
import { create } from "zustand";
import { adjust, here, onPlace } from "../place/place.ts";
import { seqAt, type Whereabouts } from "./moments.ts";
import { Playback } from "./playback.ts";
import { knownTimeline, loadOlder, showAt, useLive } from "./store.ts";
import { KEPT_EVENTS } from "./timeline.ts";

/** How fast the past is played, in times of the real thing; null while it stands. */
export const usePlaying = create<{ readonly speed: number | null }>(() => ({ speed: null }));

/** The speeds to choose from. */
export const SPEEDS = [1, 2, 5, 10, 25, 100] as const;

/** Keeps what is shown in step with the address: the seq in it is where the viewer has travelled to. */
export function followPlace(): void {
  const follow = () => showAt(here().seq);
  onPlace(follow);
  follow();
}

/** Shows every screen at a seq. */
export function travelTo(seq: number): void {
  const { oldest, last } = useLive.getState();
  adjust({ seq: Math.max(Math.min(oldest, last), Math.min(last, Math.round(seq))) });
}

/** The seq of a place that somebody has typed. What lies before the events that are here is fetched first. */
export async function seqOf(where: Whereabouts): Promise<number> {
  if ("seq" in where) return where.seq;
  const { from, oldest } = useLive.getState();
  const first = knownTimeline().log().at(0);
  if (first && Date.parse(first.timestamp) > where.moment && oldest < from)
    await loadOlder(KEPT_EVENTS).catch(() => {});
  return seqAt(knownTimeline().log(), where.moment) ?? useLive.getState().first;
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
  const log = knownTimeline().log();
  const index = log.indexOf(shownSeq()) + count;
  const event = log.at(Math.max(0, Math.min(log.length - 1, index)));
  if (event) travelTo(event.seq);
}

/** Shows the next failure after what is shown, or the one before it. Returns whether there is one. */
export function toError(direction: 1 | -1): boolean {
  pause();
  const log = knownTimeline().log();
  for (let index = log.indexOf(shownSeq()) + (direction === 1 ? 1 : -1); index >= 0; index += direction) {
    const event = log.at(index);
    if (!event) return false;
    if (!isFailure(event) || event.seq === here().seq) continue;
    travelTo(event.seq);
    return true;
  }
  return false;
}

/** Whether an event tells of a failure. */
export function isFailure(event: FlockEvent): boolean {
  return event.type === "agent_execution_completed" && (event.status === "error" || event.status === "timeout");
}

/** Plays on from what is shown; from the beginning when that is the end. */
export function play(speed: number): void {
  pause();
  const { first, last, at } = useLive.getState();
  if (at === null || at >= last) travelTo(first);
  usePlaying.setState({ speed });
  const playback = new Playback(knownTimeline().log(), here().seq ?? first);
  let before = performance.now();
  const frame = (now: number) => {
    if (usePlaying.getState().speed !== speed) return;
    const seq = playback.advance((now - before) * speed);
    before = now;
    if (seq !== here().seq) travelTo(seq);
    if (playback.isOver) pause();
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Stops where it is. */
export function pause(): void {
  if (usePlaying.getState().speed !== null) usePlaying.setState({ speed: null });
}

function shownSeq(): number {
  return here().seq ?? useLive.getState().last;
}
