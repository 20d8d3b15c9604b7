import { type ControlOf, type FlockEvent, mergedSeqs } from "@flock-ts/protocol";
import type { Log } from "./log.ts";
import type { Timeline } from "./timeline.ts";

type Gap = Pick<ControlOf<"gap">, "from_seq" | "to_seq">;

/**
 * Tracks which seqs of a log are hidden from its viewer: those without an event that are neither compacted nor within
 * a gap. Each event of the growing log is visited once.
 */
export class HiddenSeqs {
  /** The seqs that were compacted into later events, ascending. */
  #merged: number[] = [];
  #first: FlockEvent | undefined;
  #last: FlockEvent | undefined;
  /** The number of corrections of earlier counts. */
  revision = 0;

  /** Processes new events. */
  follow(log: Log): void {
    const seen = this.#last === undefined ? -1 : log.indexOf(this.#last.seq);
    const goesOn = seen >= 0 && log.at(seen) === this.#last && log.at(0) === this.#first;
    if (goesOn && seen === log.length - 1) return;
    const found: number[] = goesOn ? this.#merged : [];
    const before = found.length;
    for (let index = goesOn ? seen + 1 : 0; index < log.length; index++) {
      // An event that arrived before its compaction is not missing.
      for (const seq of mergedSeqs(log.at(index) as FlockEvent)) if (!isThere(log, seq)) found.push(seq);
    }
    if (!goesOn || found.length > before) {
      this.#merged = [...new Set(found)].sort((a, b) => a - b);
      this.revision++;
    }
    this.#first = log.at(0);
    this.#last = log.at(log.length - 1);
  }

  /** Counts the hidden seqs from `from` to `to`, both included. `gaps` do not overlap. */
  between(log: Log, gaps: readonly Gap[], from: number, to: number): number {
    if (to < from) return 0;
    const events = log.indexOf(to) - log.indexOf(from - 1);
    const merged = countUpTo(this.#merged, to) - countUpTo(this.#merged, from - 1);
    let missing = 0;
    for (const { from_seq, to_seq } of gaps) {
      missing += Math.max(0, Math.min(to, to_seq) - Math.max(from, from_seq) + 1);
    }
    return Math.max(0, to - from + 1 - events - merged - missing);
  }
}

function isThere(log: Log, seq: number): boolean {
  return log.at(log.indexOf(seq))?.seq === seq;
}

/** Counts the values of an ascending list up to a limit. */
function countUpTo(numbers: readonly number[], most: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

const counted = new WeakMap<Timeline, HiddenSeqs>();

/** Tracks the hidden seqs of a timeline from all known events, regardless of the seq shown. */
export function hiddenIn(timeline: Timeline): HiddenSeqs {
  let numbers = counted.get(timeline);
  if (!numbers) counted.set(timeline, (numbers = new HiddenSeqs()));
  numbers.follow(timeline.log());
  return numbers;
}
