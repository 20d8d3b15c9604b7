import type { Log } from "./log.ts";

/** Nothing happening for longer than this, in ms, is played as if it were this: nobody waits for a night to pass. */
const LONGEST_REST_MS = 2_000;

/** A log played in its own time. */
export class Playback {
  readonly #log: Log;
  #index: number;
  /** Time that has passed since the event that is shown, in ms. */
  #passed = 0;

  constructor(log: Log, seq: number) {
    this.#log = log;
    this.#index = log.indexOf(seq);
  }

  /** Whether the end has been reached. */
  get isOver(): boolean {
    return this.#index >= this.#log.length - 1;
  }

  /** Lets so many ms pass. Returns the seq to show. */
  advance(ms: number): number {
    this.#passed += ms;
    for (;;) {
      const event = this.#log.at(this.#index);
      const next = this.#log.at(this.#index + 1);
      if (!next) return event?.seq ?? 0;
      const rest = event
        ? Math.min(LONGEST_REST_MS, Math.max(0, Date.parse(next.timestamp) - Date.parse(event.timestamp)))
        : 0;
      if (rest > this.#passed) return event?.seq ?? 0;
      this.#passed -= rest;
      this.#index++;
    }
  }
}
