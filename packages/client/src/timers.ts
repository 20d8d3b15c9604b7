/** The longest delay of a timer, in milliseconds. A longer one would end at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Returns a delay that a timer can wait: at least 0, at most 24.8 days. */
export function timerDelay(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_DELAY_MS);
}

/** Throws a TypeError for an option in milliseconds that is not a positive number. A timer would end at once, again and again. */
export function checkDurations(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (name.endsWith("Ms") && value !== undefined && !(value > 0)) {
      throw new TypeError(`Invalid option: \`${name}\` is ${value}. Use a positive number of milliseconds.`);
    }
  }
}
