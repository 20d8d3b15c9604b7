import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { checkOptions } from "../core/errors.ts";

/** What {@link fakeClock} can be told. */
export interface FakeClockOptions {
  /** What time it is at first: a date, or milliseconds since 1970. Default: the beginning of 2026, UTC. */
  readonly now?: Date | number;
}

/** A clock that stands still until a test tells it to go on. */
export interface FakeClock extends Clock {
  /**
   * Lets so many milliseconds pass, and calls back whoever waited for one of them: in the order of their deadlines, those
   * of one deadline in the order in which they began to wait. Before the first, after each and at the end the flock
   * settles: commits are made, agents run that are woken, as far as they wait for nothing but promises.
   * @throws FlockError `invalid_options`; whatever a callback throws.
   */
  advance(ms: number): Promise<void>;
  /** Like `advance`, up to a time. Does nothing but settle when that is now. */
  advanceTo(time: Date | number): Promise<void>;
  /** When the callbacks that wait are due, in milliseconds since 1970, the earliest first. */
  readonly pending: readonly number[];
}

interface Timer {
  readonly at: number;
  /** The how many-th timer of this clock: who waited first comes first. */
  readonly position: number;
  readonly callback: () => void;
}

/** Kept from before anybody fakes it: other clocks of a test shall not stop this one. */
const nextTurn = globalThis.setImmediate;
/** So many turns of the event loop without a question to the clock: an agent that has work to do stamps events. */
const QUIET_TURNS = 12;

const timeSchema = z.union([z.date().transform((date) => date.getTime()), z.number()]).pipe(z.number());
const optionsSchema = z.strictObject({ now: timeSchema.default(Date.UTC(2026, 0, 1)) });

/**
 * A clock for tests of windows, batches, timeouts and timestamps: it stands still until `advance`.
 *
 * A run that waits for a network, a file or a timer of its own is not waited for, since nothing tells that from one that
 * waits for this clock: `await flock.runUntilIdle()` does that.
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
  #now: number;
  #position = 0;
  /** How often somebody has asked for something: while that grows, work is being done. */
  #questions = 0;
  #advancing: Promise<void> = Promise.resolve();
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    this.#questions += 1;
    return this.#now;
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
    return [...this.#timers].map(({ at }) => at).sort((a, b) => a - b);
  }

  async advance(ms: number): Promise<void> {
    const wait = checkOptions("clock.advance", z.number().min(0), ms);
    await this.#next(() => this.#now + wait);
  }

  async advanceTo(time: Date | number): Promise<void> {
    const until = checkOptions(
      "clock.advanceTo: a time that is not past",
      timeSchema.pipe(z.number().min(this.#now)),
      time,
    );
    await this.#next(() => until);
  }

  /** One after the other: two that are not awaited add up. */
  #next(until: () => number): Promise<void> {
    const advancing = this.#advancing.then(() => this.#goOn(until()));
    this.#advancing = advancing.catch(() => {});
    return advancing;
  }

  async #goOn(until: number): Promise<void> {
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
