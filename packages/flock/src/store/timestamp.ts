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

let parsed = "";
let parsedAs = 0;

/** A time as milliseconds since 1970. What is written together was mostly made in the same millisecond, too. */
export function millisecondsOf(time: string): number {
  if (time !== parsed) {
    parsedAs = Date.parse(time);
    parsed = time;
  }
  return parsedAs;
}
