import type { Log } from "./log.ts";

/** The longest pause of playback, in ms of the log. Longer pauses are shortened to it. */
const LONGEST_REST_MS = 2_000;

/** Plays a log at its original speed. */
export class Playback {
  readonly #log: Log;
  #index: number;
  /** Time since the event that is shown, in ms. */
  #passed = 0;

  constructor(log: Log, seq: number) {
    this.#log = log;
    this.#index = log.indexOf(seq);
  }

  /** Whether the end is reached. */
  get isOver(): boolean {
    return this.#index >= this.#log.length - 1;
  }

  /** Advances by some ms. Returns the seq to show. */
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
