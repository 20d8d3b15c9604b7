import { type Clock, elapsed } from "../core/clock.ts";

/** How many times per interval it reads the clock, and how long it waits at most between two readings, in ms. */
const READINGS_PER_INTERVAL = 8;
const LONGEST_MS = 1_000;

/**
 * Measures the time in which the event loop ran. Time in which it was blocked does not count: the server can neither
 * receive what clients send nor send what they wait for.
 */
export class AttendedTime {
  /** The time between two heartbeats, in ms. */
  readonly intervalMs: number;
  readonly #clock: Clock;
  readonly #tickMs: number;
  #attendedMs = 0;
  #readAt: number;
  #cancel = () => {};

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.intervalMs = intervalMs;
    this.#tickMs = Math.min(LONGEST_MS, intervalMs / READINGS_PER_INTERVAL);
    this.#readAt = elapsed(clock);
    this.#schedule();
  }

  /** Returns how long the event loop has run, in ms. */
  now(): number {
    const now = elapsed(this.#clock);
    // A timer that is late by more than another tick was blocked.
    this.#attendedMs += Math.min(now - this.#readAt, 2 * this.#tickMs);
    this.#readAt = now;
    return this.#attendedMs;
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#tickMs, () => {
      this.now();
      this.#schedule();
    });
  }
}
