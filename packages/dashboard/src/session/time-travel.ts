import { createStore, type StoreApi } from "zustand/vanilla";
import type { RestClient } from "../connection/rest.ts";
import { isFailure } from "../timeline/failure.ts";
import { type Position, seqAt } from "../timeline/parse-position.ts";
import { Playback } from "../timeline/playback.ts";
import type { SeqRoute, Session } from "./session.ts";
import type { SessionView } from "./store.ts";

/** The speeds to choose from, as multiples of real time. */
export const SPEEDS = [1, 2, 5, 10, 25, 100] as const;

/** The number of seqs that one search for a failure reads, where it has to load events. */
const SEARCHED = 200_000;

/** What time travel works with. */
export interface TimeTravelDeps {
  readonly session: Session;
  readonly store: Pick<StoreApi<SessionView>, "getState">;
  readonly rest: RestClient;
  readonly route: SeqRoute;
  /** Calls back before the next frame, with a monotonic time in ms; as `requestAnimationFrame` does. */
  readonly requestFrame: (callback: (now: number) => void) => void;
  /** Returns the same monotonic time. */
  readonly elapsed: () => number;
}

/** Navigates along the log: to a seq, a time, the next event or failure, or by playback. */
export class TimeTravel {
  readonly #deps: TimeTravelDeps;
  /** How fast the past is played, as a multiple of real time; null while it is paused. */
  readonly playing = createStore<{ readonly speed: number | null }>(() => ({ speed: null }));

  constructor(deps: TimeTravelDeps) {
    this.#deps = deps;
  }

  /** Shows a seq on every screen, limited to those that exist. */
  travelTo(seq: number): void {
    const { oldest, last } = this.#view;
    this.#deps.route.setSeq(Math.max(Math.min(oldest, last), Math.min(last, Math.round(seq))));
  }

  /** Returns the seq of a position. Asks the server about times before the events in the tab. */
  async seqOf(position: Position): Promise<number> {
    if ("seq" in position) return position.seq;
    return seqAt(this.#deps.session.timeline.log(), position.moment) ?? this.#seqBefore(position.moment);
  }

  /** Shows a position on every screen. */
  async travelToPosition(position: Position): Promise<void> {
    this.pause();
    this.travelTo(await this.seqOf(position));
  }

  /** Plays faster or slower by one of the speeds, or starts to play. */
  changeSpeed(direction: 1 | -1): void {
    const { speed } = this.playing.getState();
    const index = SPEEDS.indexOf(speed as (typeof SPEEDS)[number]) + direction;
    this.play(speed === null ? 1 : (SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, index))] as number));
  }

  /** Follows the log again. */
  goLive(): void {
    this.pause();
    this.#deps.route.setSeq(null);
  }

  /** Shows the state some events later, or earlier when `count` is negative. */
  step(count: number): void {
    this.pause();
    const log = this.#deps.session.shownTimeline.log();
    const event = log.at(Math.max(0, log.indexOf(this.#shownSeq()) + count));
    this.travelTo(event && event.seq !== this.#shownSeq() ? event.seq : this.#beyond(count < 0 ? -1 : 1));
  }

  /**
   * Shows the next or the previous failure. Without one, the view stays. When the search reads too much, it stops at
   * the end of the searched range.
   */
  async toError(direction: 1 | -1): Promise<"found" | "none" | "none nearby"> {
    const { route, session } = this.#deps;
    this.pause();
    const origin = route.seq();
    const began = origin ?? this.#view.last + 1;
    for (let from = began + direction; ; ) {
      const failure = this.#failureFrom(from, direction);
      if (failure !== undefined) {
        this.travelTo(failure);
        return "found";
      }
      from = this.#beyond(direction);
      const { oldest, past } = this.#view;
      if (direction === 1 ? !past : from < oldest) {
        route.setSeq(origin);
        return "none";
      }
      if (Math.abs(from - began) > SEARCHED) return "none nearby";
      this.travelTo(from);
      await session.settled();
      // It failed to load, or the viewer has navigated elsewhere.
      if (route.seq() !== from || !session.has(from)) return "none nearby";
    }
  }

  /** Plays from the position shown, or from the start when that is the end. */
  play(speed: number): void {
    this.pause();
    const { first, last, at } = this.#view;
    if (at === null || at >= last) this.travelTo(first);
    this.playing.setState({ speed });
    void this.#playOn(speed);
  }

  /** Stops playing. */
  pause(): void {
    if (this.playing.getState().speed !== null) this.playing.setState({ speed: null });
  }

  async #playOn(speed: number): Promise<void> {
    const { session, route, requestFrame, elapsed } = this.#deps;
    await session.settled();
    const { first } = this.#view;
    const played = session.shownTimeline;
    const playback = new Playback(played.log(), route.seq() ?? first);
    let before = elapsed();
    const frame = (now: number) => {
      if (this.playing.getState().speed !== speed) return;
      const seq = playback.advance((now - before) * speed);
      before = now;
      if (seq !== route.seq()) this.travelTo(seq);
      if (!playback.isOver) requestFrame(frame);
      else if (played === session.timeline) this.pause();
      else {
        this.travelTo(this.#beyond(1));
        void this.#playOn(speed);
      }
    };
    requestFrame(frame);
  }

  get #view(): SessionView {
    return this.#deps.store.getState();
  }

  #shownSeq(): number {
    return this.#deps.route.seq() ?? this.#view.last;
  }

  /** Returns the seq next to the events around the one that is shown. */
  #beyond(direction: 1 | -1): number {
    const { past, from, last } = this.#view;
    if (direction === -1) return (past?.from ?? from) - 1;
    return past ? past.to + 1 : last;
  }

  /** Returns the first failure from a seq on, or the last one up to it, among the events around the one that is shown. */
  #failureFrom(seq: number, direction: 1 | -1): number | undefined {
    const log = this.#deps.session.shownTimeline.log();
    let index = direction === 1 ? log.indexOf(seq - 1) + 1 : log.indexOf(seq);
    for (let event = log.at(index); event && index >= 0; event = log.at(index)) {
      if (isFailure(event)) return event.seq;
      index += direction;
    }
    return undefined;
  }

  /** Finds the newest event up to a moment before all events in the tab; the oldest one where that is later. */
  async #seqBefore(moment: number): Promise<number> {
    const { config, file, from, first, oldest } = this.#view;
    if (!config || file !== null || oldest >= from) return first;
    let [low, high] = [oldest, from];
    let found = oldest;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { events } = await this.#deps.rest.readEvents(config, { after: middle - 1, limit: 1 });
      const event = events[0];
      if (event && event.seq < high && Date.parse(event.timestamp) <= moment) {
        found = event.seq;
        low = event.seq + 1;
      } else high = middle;
    }
    return found;
  }
}
