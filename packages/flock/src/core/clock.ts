/**
 * Reads the time and runs callbacks later. `systemClock` uses the machine's time; tests use a manually advanced clock.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Returns milliseconds from a monotonic source, possibly with fractions, for measuring durations. Default: `now`. */
  elapsed?(): number;
  /**
   * Calls `callback` once after `ms` milliseconds, or never when `ms` is `Infinity`. Returns a function that cancels
   * the call.
   * @param keepsAlive whether the pending call keeps the process alive. Default: false.
   */
  after(ms: number, callback: () => void, keepsAlive?: boolean): () => void;
}

/** Longest delay that Node's timers support, in milliseconds (about 25 days). A longer one fires immediately. */
const MAX_DELAY = 2 ** 31 - 1;

/** Uses the time and the timers of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback, keepsAlive = false) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (rest: number): void => {
      if (rest === Number.POSITIVE_INFINITY) return;
      const delay = Math.min(rest, MAX_DELAY);
      timer = setTimeout(() => (rest > delay ? wait(rest - delay) : callback()), delay);
      if (!keepsAlive) timer.unref();
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** Returns a clock reading for measuring durations, in milliseconds. */
export function elapsed(clock: Clock): number {
  return clock.elapsed?.() ?? clock.now();
}
