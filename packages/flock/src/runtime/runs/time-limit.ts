import { type Clock, elapsed } from "../../core/clock.ts";

/** How long something may take, but for the pauses. */
export class TimeLimit {
  readonly #clock: Clock;
  readonly #onPassed: () => void;
  #left: number;
  #since = 0;
  #stopTimer: (() => void) | undefined;
  #isStarted = false;
  #isPaused = false;

  /** `onPassed` is called once, when `ms` milliseconds have passed. */
  constructor(clock: Clock, ms: number, onPassed: () => void) {
    this.#clock = clock;
    this.#left = ms;
    this.#onPassed = onPassed;
  }

  start(): void {
    this.#isStarted = true;
    this.#go();
  }

  pause(): void {
    this.#isPaused = true;
    if (!this.#stopTimer) return;
    this.#halt();
    this.#left -= elapsed(this.#clock) - this.#since;
  }

  resume(): void {
    this.#isPaused = false;
    this.#go();
  }

  /** Whether the time has passed and nothing has noticed yet. */
  get isOver(): boolean {
    return this.#stopTimer !== undefined && elapsed(this.#clock) - this.#since > this.#left;
  }

  /** It is over; nothing is called any more. */
  stop(): void {
    this.#isStarted = false;
    this.#halt();
  }

  #go(): void {
    if (!this.#isStarted || this.#isPaused || this.#stopTimer) return;
    this.#since = elapsed(this.#clock);
    this.#stopTimer = this.#clock.after(this.#left, this.#onPassed, true);
  }

  #halt(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
