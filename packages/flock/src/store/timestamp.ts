let millisecond = 0;
let text = "";

/** The time now as ISO 8601, UTC. Under load many events share a millisecond, and formatting it is dear. */
export function timestamp(): string {
  const now = Date.now();
  if (now !== millisecond) {
    millisecond = now;
    text = new Date(now).toISOString();
  }
  return text;
}
