/** Latest time that `Date` supports, in milliseconds. */
const LATEST = 8.64e15;

let millisecond = 0;
let text = "";

/** Formats the current time (in ms) as ISO 8601, UTC. Cached, because under load many events share a millisecond. */
export function timestamp(now: number): string {
  if (now !== millisecond) {
    millisecond = now;
    text = new Date(now).toISOString();
  }
  return text;
}

/** Formats a time in milliseconds as ISO 8601, UTC. Later times than `Date` supports become the latest one. */
export function isoTime(ms: number): string {
  return new Date(Math.min(ms, LATEST)).toISOString();
}

let parsed = "";
let parsedAs = 0;

/** Parses an ISO 8601 time to milliseconds since 1970. Cached, because consecutive values often share a millisecond. */
export function millisecondsOf(time: string): number {
  if (time !== parsed) {
    parsedAs = Date.parse(time);
    parsed = time;
  }
  return parsedAs;
}
