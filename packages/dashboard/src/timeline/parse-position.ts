import type { Log } from "./log.ts";

/** A position of the log that the user typed: a seq, or a moment as `Date.now()` counts. */
export type Position = { readonly seq: number } | { readonly moment: number };

const TIME = /^(?:(\d{4})-(\d{1,2})-(\d{1,2})[T ]+)?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/;

/**
 * Parses `41200`, `#41,200`, `14:03`, `14:03:20.5`, `2026-03-14 14:03` (in the viewer's time zone), or an ISO
 * timestamp. A time without a date is the latest such time in the log.
 *
 * @returns undefined for any other text.
 */
export function parsePosition(text: string, log: Log): Position | undefined {
  const said = text.trim();
  const seq = /^#?(\d{1,3}(?:,\d{3})+|\d{1,15})$/.exec(said)?.[1];
  if (seq !== undefined) return { seq: Number(seq.replaceAll(",", "")) };
  const time = TIME.exec(said);
  if (time) {
    const [, year, month, day, ...parts] = time;
    const [hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0));
    const millis = Number((parts[3] ?? "0").padEnd(3, "0"));
    if (hour > 23 || minute > 59 || second > 59) return undefined;
    if (year !== undefined) {
      const date = new Date(Number(year), Number(month) - 1, Number(day), hour, minute, second, millis);
      return date.getMonth() === Number(month) - 1 && date.getDate() === Number(day)
        ? { moment: date.getTime() }
        : undefined;
    }
    const newest = log.at(-1)?.timestamp;
    const date = newest === undefined ? new Date() : new Date(newest);
    const last = date.getTime();
    date.setHours(hour, minute, second, millis);
    // By the calendar, because some days have more or fewer than 24 hours.
    if (date.getTime() > last) date.setDate(date.getDate() - 1);
    return { moment: date.getTime() };
  }
  if (!/^\d{4}-\d{2}-\d{2}T/.test(said)) return undefined;
  const moment = Date.parse(said);
  return Number.isNaN(moment) ? undefined : { moment };
}

/** Returns the seq of the newest event up to a moment; undefined when the log starts later. */
export function seqAt(log: Log, moment: number): number | undefined {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(log.at(middle)?.timestamp ?? "") <= moment) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : log.at(low - 1)?.seq;
}
