import { type Clock, elapsed } from "../core/clock.ts";

/** The longest time between two flushes, in ms: too short for a person to notice. */
const LONGEST_MS = 20;
/** After a flush of 1 ms, the window waits this many ms. Flushes then take a sixth of the time at most; agents get the rest. */
const REST_PER_WORK = 5;

/**
 * Decides when to flush: immediately after a quiet time; under load in batches, with longer pauses the more a flush costs.
 */
export class FlushWindow {
  readonly #clock: Clock;
  readonly #flush: () => void;
  #cancel: (() => void) | undefined;
  #notBefore = 0;

  constructor(clock: Clock, flush: () => void) {
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Schedules a flush, unless one is scheduled. */
  request(): void {
    if (this.#cancel) return;
    const wait = this.#notBefore - elapsed(this.#clock);
    // Never in the same call: a publisher does not wait for sockets, and its next events join this flush.
    if (wait < 1) {
      const immediate = setImmediate(this.#run);
      this.#cancel = () => clearImmediate(immediate);
    } else this.#cancel = this.#clock.after(wait, this.#run, true);
  }

  /** Flushes now, regardless of the window. */
  flushNow(): void {
    this.#cancel?.();
    this.#run();
  }

  readonly #run = (): void => {
    this.#cancel = undefined;
    const started = elapsed(this.#clock);
    this.#flush();
    const ended = elapsed(this.#clock);
    this.#notBefore = ended + Math.min(LONGEST_MS, REST_PER_WORK * (ended - started));
  };
}
