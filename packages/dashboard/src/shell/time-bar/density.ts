import type { FlockEvent } from "@flock-ts/protocol";
import { isFailure } from "../../timeline/failure.ts";
import type { Log } from "../../timeline/log.ts";

/** The density of each part of a log, on a relative scale, and its number of failures. */
export interface Weights {
  readonly weights: readonly number[];
  readonly failures: readonly number[];
}

/**
 * The distribution of a growing log over its seqs. Each event is visited once, so that an additional one costs
 * little.
 */
export class Density {
  /** The seqs of failures, and the range in which they are complete. */
  #failures: number[] = [];
  #first: FlockEvent | undefined;
  #last: FlockEvent | undefined;

  /** Divides the seqs from `first` to `last` into a number of parts. */
  of(log: Log, first: number, last: number, bars: number): Weights {
    this.#lookAt(log);
    const weights = new Array<number>(bars).fill(0);
    const failures = new Array<number>(bars).fill(0);
    const span = last - first + 1;
    for (const seq of this.#failures) {
      const bar = Math.min(bars - 1, Math.floor(((seq - first) / span) * bars));
      if (bar >= 0) failures[bar] = (failures[bar] as number) + 1;
    }
    let from = log.indexOf(first - 1) + 1;
    let before: string | undefined;
    for (let bar = 0; bar < bars; bar++) {
      // The seqs of a part are below this one.
      const to = log.indexOf(Math.ceil(first + ((bar + 1) * span) / bars) - 1) + 1;
      if (to <= from) continue;
      const end = log.at(to - 1)?.timestamp as string;
      // From the end of the previous part, so that a long silence lowers the density.
      const began = before ?? (log.at(from)?.timestamp as string);
      const seconds = Math.max(0.05, (Date.parse(end) - Date.parse(began)) / 1_000);
      weights[bar] = Math.log1p((to - from) / seconds);
      before = end;
      from = to;
    }
    return { weights, failures };
  }

  #lookAt(log: Log): void {
    const first = log.at(0);
    const seen = this.#last === undefined ? -1 : log.indexOf(this.#last.seq);
    // Older events were loaded, or it is another log.
    const goesOn = seen >= 0 && log.at(seen) === this.#last && (first?.seq ?? 0) >= (this.#first?.seq ?? 0);
    if (!goesOn) this.#failures = [];
    else if (first !== this.#first) this.#failures = this.#failures.filter((seq) => seq >= (first?.seq ?? 0));
    for (let index = goesOn ? seen + 1 : 0; index < log.length; index++) {
      const event = log.at(index) as FlockEvent;
      if (isFailure(event)) this.#failures.push(event.seq);
    }
    this.#first = first;
    this.#last = log.at(log.length - 1);
  }
}
