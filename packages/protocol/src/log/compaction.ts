import type { FlockEvent } from "../wire/events.ts";

/**
 * Encodes which events the log compacted into one, for the `merged` field: run lengths backwards from the last `seq`,
 * alternately numbers of other events and of compacted ones. Chunks of a stream are mostly consecutive, so this is
 * shorter than a list.
 *
 * @param seqs all numbers, including the event's own, in ascending order.
 */
export function encodeMerged(seqs: readonly number[]): number[] {
  const merged: number[] = [];
  for (let index = seqs.length - 2; index >= 0; index--) {
    const others = (seqs[index + 1] as number) - (seqs[index] as number) - 1;
    if (others > 0 || merged.length === 0) merged.push(others, 1);
    else merged[merged.length - 1] = (merged.at(-1) as number) + 1;
  }
  return merged;
}

/** Decodes the `merged` field: the numbers of the events compacted into this one, without its own, in descending order. */
export function mergedSeqs(event: FlockEvent): number[] {
  const merged = event.type === "streaming_output" ? (event.merged ?? []) : [];
  const seqs: number[] = [];
  let at = event.seq - 1;
  for (let index = 0; index + 1 < merged.length; index += 2) {
    at -= merged[index] as number;
    for (let left = merged[index + 1] as number; left > 0; left--) seqs.push(at--);
  }
  return seqs;
}
