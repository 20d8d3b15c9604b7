import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { checkOptions } from "../core/errors.ts";

/** Options of {@link fakeClock}. */
export interface FakeClockOptions {
  /** Initial time: a date or milliseconds since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly now?: Date | number;
}

/** A clock that only advances when a test does so. */
export interface FakeClock extends Clock {
  /**
   * Advances the time and runs due callbacks in order of their deadlines, then of their registration.
   * The flock settles before the first callback, after each one and at the end: it commits writes and runs triggered
   * agents that wait only for promises.
   * @param ms milliseconds.
   * @throws FlockError `invalid_options`.
   * @throws errors of callbacks.
   */
  advance(ms: number): Promise<void>;
  /** Advances to a time, like `advance`. With the current time it only settles. */
  advanceTo(time: Date | number): Promise<void>;
  /**
   * Changes the wall clock by `ms` milliseconds, as a time server does. Timers and durations are not affected.
   * @throws FlockError `invalid_options`.
   */
  adjust(ms: number): void;
  /** Due times of pending callbacks, in milliseconds since 1970, earliest first. */
  readonly pending: readonly number[];
}

interface Timer {
  readonly at: number;
  /** Sequence number of the timer; earlier timers run first. */
  readonly position: number;
  readonly callback: () => void;
}

/** The real function, so that other fake clocks in a test don't stop this one. */
const nextTurn = globalThis.setImmediate;
/** Turns of the event loop without a clock reading after which the flock is settled; active agents stamp events. */
const QUIET_TURNS = 12;

const timeSchema = z.union([z.date().transform((date) => date.getTime()), z.number()]).pipe(z.number());
const optionsSchema = z.strictObject({ now: timeSchema.default(Date.UTC(2026, 0, 1)) });

/**
 * Creates a clock for tests of windows, batches, timeouts and timestamps. It stands still until `advance`.
 * It does not wait for runs that use the network, files or their own timers. Use `await flock.runUntilIdle()` for
 * those.
 *
 * @throws FlockError `invalid_options`.
 *
 * @example
 * const clock = fakeClock();
 * const flock = new Flock({ clock });
 * await flock.publish(Idea({ description: "truffle" }));
 * await clock.advance(60_000);
 */
export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  return new StandingClock(checkOptions("fakeClock", optionsSchema, options).now);
}

class StandingClock implements FakeClock {
  /** The time without adjustments. */
  #now: number;
  #adjusted = 0;
  #position = 0;
  /** Number of clock readings and timers so far. While it grows, work is in progress. */
  #questions = 0;
  #advancing: Promise<void> = Promise.resolve();
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.elapsed() + this.#adjusted;
  }

  elapsed(): number {
    this.#questions += 1;
    return this.#now;
  }

  adjust(ms: number): void {
    this.#adjusted += checkOptions("clock.adjust", z.number(), ms);
  }

  after(ms: number, callback: () => void): () => void {
    this.#questions += 1;
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer: Timer = { at: this.#now + Math.max(0, ms), position: this.#position++, callback };
    this.#timers.add(timer);
    return () => {
      this.#questions += 1;
      this.#timers.delete(timer);
    };
  }

  get pending(): readonly number[] {
    return [...this.#timers].map(({ at }) => at + this.#adjusted).sort((a, b) => a - b);
  }

  async advance(ms: number): Promise<void> {
    const wait = checkOptions("clock.advance", z.number().min(0), ms);
    await this.#next(() => this.#now + wait);
  }

  async advanceTo(time: Date | number): Promise<void> {
    const until = checkOptions(
      "clock.advanceTo: a time that is not in the past",
      timeSchema.pipe(z.number().min(this.#now + this.#adjusted)),
      time,
    );
    await this.#next(() => until - this.#adjusted);
  }

  /** Runs advances one after the other, so that those that are not awaited add up. */
  #next(until: () => number): Promise<void> {
    const advancing = this.#advancing.then(() => this.#resume(until()));
    this.#advancing = advancing.catch(() => {});
    return advancing;
  }

  async #resume(until: number): Promise<void> {
    await this.#settled();
    for (;;) {
      const next = this.#earliest();
      if (!next || next.at > until) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await this.#settled();
    }
    this.#now = Math.max(this.#now, until);
    await this.#settled();
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      const isEarlier =
        !earliest || timer.at < earliest.at || (timer.at === earliest.at && timer.position < earliest.position);
      if (isEarlier) earliest = timer;
    }
    return earliest;
  }

  async #settled(): Promise<void> {
    let seen = this.#questions;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await new Promise<void>((resolve) => nextTurn(resolve));
      if (this.#questions === seen) continue;
      seen = this.#questions;
      quiet = -1;
    }
  }
}
