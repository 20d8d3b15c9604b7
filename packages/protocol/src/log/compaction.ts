import type { FlockEvent } from "../wire/events.ts";

/**
 * How an event tells which numbers it stands for: going back from the last one, so many of others, so many of its own,
 * and so on. Pieces of a stream mostly follow each other, so that this is shorter than the numbers are.
 *
 * @param seqs all of them, the event's own included, in ascending order.
 */
export function mergedOf(seqs: readonly number[]): number[] {
  const merged: number[] = [];
  for (let index = seqs.length - 2; index >= 0; index--) {
    const others = (seqs[index + 1] as number) - (seqs[index] as number) - 1;
    if (others > 0 || merged.length === 0) merged.push(others, 1);
    else merged[merged.length - 1] = (merged.at(-1) as number) + 1;
  }
  return merged;
}

/** The numbers that an event stands for beside its own, in descending order. */
export function mergedInto(event: FlockEvent): number[] {
  const merged = event.type === "streaming_output" ? (event.merged ?? []) : [];
  const seqs: number[] = [];
  let at = event.seq - 1;
  for (let index = 0; index + 1 < merged.length; index += 2) {
    at -= merged[index] as number;
    for (let left = merged[index + 1] as number; left > 0; left--) seqs.push(at--);
  }
  return seqs;
}
