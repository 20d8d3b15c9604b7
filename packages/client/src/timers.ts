/** The longest delay of a timer, in milliseconds. A longer one would end at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Returns a delay that a timer can wait: at least 0, at most 24.8 days. */
export function timerDelay(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_DELAY_MS);
}
