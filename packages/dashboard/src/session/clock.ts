/** The time, for everything in a session that measures or waits. */
export interface Clock {
  /** Returns the time as `Date.now()` does. */
  now(): number;
  /** Returns a monotonic time in ms, as `performance.now()` does. */
  elapsed(): number;
  /** Resolves after some ms. */
  delay(ms: number): Promise<void>;
}

/** The browser's clock. */
export const browserClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
