/** The latest time that ISO 8601 has, as Date knows it, in milliseconds. */
const LATEST = 8.64e15;

let millisecond = 0;
let text = "";

/** A time now, in milliseconds, as ISO 8601, UTC. Under load many events share a millisecond, and formatting it is dear. */
export function timestamp(now: number): string {
  if (now !== millisecond) {
    millisecond = now;
    text = new Date(now).toISOString();
  }
  return text;
}

/** A time in milliseconds as ISO 8601, UTC; the latest there is for what lies beyond. */
export function isoTime(ms: number): string {
  return new Date(Math.min(ms, LATEST)).toISOString();
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
