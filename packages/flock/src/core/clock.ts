/** Tells the time and calls back: the system's clock, or in tests one that stands still until it is told to go on. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that only ever grow, and may have fractions, for durations. Default: `now`. */
  elapsed?(): number;
  /**
   * Calls back once, when so many milliseconds have passed; never with `Infinity`. Returns what calls it off.
   * `keepsAlive`: whether the process waits for it before it ends; default false.
   */
  after(ms: number, callback: () => void, keepsAlive?: boolean): () => void;
}

/** The longest that a timer of Node can wait, in milliseconds: some 25 days. With more it would not wait at all. */
const MAX_DELAY = 2 ** 31 - 1;

/** The clock of the machine. */
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

/** Milliseconds to take durations from, as a clock tells them. */
export function elapsed(clock: Clock): number {
  return clock.elapsed?.() ?? clock.now();
}
