import { type ControlOf, type FlockEvent, mergedSeqs } from "@flock-ts/protocol";
import type { Log } from "./log.ts";
import type { Timeline } from "./timeline.ts";

type Gap = Pick<ControlOf<"gap">, "from_seq" | "to_seq">;

/**
 * Which numbers of a log are hidden from whoever reads it: those that are neither an event's, nor those of pieces that
 * the log has merged, nor within a gap. It is asked of a log that grows, and looks at each event once.
 */
export class HiddenSeqs {
  /** Numbers whose events have been merged into later ones, ascending. */
  #merged: number[] = [];
  #first: FlockEvent | undefined;
  #last: FlockEvent | undefined;
  /** How often what had been counted before has turned out otherwise. */
  revision = 0;

  /** Takes in what has come since. */
  follow(log: Log): void {
    const seen = this.#last === undefined ? -1 : log.indexOf(this.#last.seq);
    const goesOn = seen >= 0 && log.at(seen) === this.#last && log.at(0) === this.#first;
    if (goesOn && seen === log.length - 1) return;
    const found: number[] = goesOn ? this.#merged : [];
    const before = found.length;
    for (let index = goesOn ? seen + 1 : 0; index < log.length; index++) {
      // A piece that is here itself, because it came before it was merged, is no hole.
      for (const seq of mergedSeqs(log.at(index) as FlockEvent)) if (!isThere(log, seq)) found.push(seq);
    }
    if (!goesOn || found.length > before) {
      this.#merged = [...new Set(found)].sort((a, b) => a - b);
      this.revision++;
    }
    this.#first = log.at(0);
    this.#last = log.at(log.length - 1);
  }

  /** How many from `from` to `to`, both included, are hidden. `gaps` do not overlap. */
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

/** How many of some ascending numbers are not greater than one. */
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

/** What is hidden in a timeline, counted with all that is known of it, whatever seq is shown. */
export function hiddenIn(timeline: Timeline): HiddenSeqs {
  let numbers = counted.get(timeline);
  if (!numbers) counted.set(timeline, (numbers = new HiddenSeqs()));
  numbers.follow(timeline.log());
  return numbers;
}
