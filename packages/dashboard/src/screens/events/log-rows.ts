import type { ControlOf, FlockEvent } from "@flock-ts/protocol";
import type { HiddenSeqs } from "../../timeline/hidden-seqs.ts";
import type { Log } from "../../timeline/log.ts";

/** A row for events that are not shown. */
export interface Absent {
  /** `hidden`: by permissions. `gone`: no longer retained. */
  readonly absent: "hidden" | "gone";
  readonly count: number;
  /** The seq of the event after it. */
  readonly before: number;
}

export type LogRow = FlockEvent | Absent;

/** The properties of a log besides its events. */
export interface Surroundings {
  readonly log: Log;
  readonly gaps: readonly ControlOf<"gap">[];
  /** Absent when nothing is hidden from the viewer, or when a filter is active. */
  readonly hidden?: { readonly numbers: HiddenSeqs; readonly from: number; readonly to: number } | undefined;
}

/**
 * Builds the rows of the list: events, and gap rows between them. Reuses earlier rows, so that an additional event
 * costs little in a long log.
 */
export class LogRows {
  #rows: LogRow[] = [];
  #shown: readonly FlockEvent[] = [];
  #key = "";

  /** Returns the rows of some events. The result is immutable. */
  of(shown: readonly FlockEvent[], around: Surroundings): readonly LogRow[] {
    const { gaps, hidden } = around;
    if (gaps.length === 0 && !hidden) return shown;
    const key = JSON.stringify([gaps.length, hidden && [hidden.numbers.revision, hidden.from]]);
    const count = this.#shown.length;
    const continues =
      key === this.#key && count > 0 && shown[0] === this.#shown[0] && shown[count - 1] === this.#shown[count - 1];
    const rows = continues ? this.#rows.slice() : [];
    let before = continues ? (this.#shown.at(-1) as FlockEvent).seq : (hidden?.from ?? 1) - 1;
    for (let index = continues ? count : 0; index < shown.length; index++) {
      const event = shown[index] as FlockEvent;
      if (event.seq > before + 1) rows.push(...absent(before, event.seq, around));
      rows.push(event);
      before = event.seq;
    }
    this.#rows = rows;
    this.#shown = shown;
    this.#key = key;
    return hidden && hidden.to > before ? [...rows, ...absent(before, hidden.to + 1, around)] : rows;
  }
}

/** Returns the gap rows between two seqs, both excluded. */
function* absent(after: number, before: number, { log, gaps, hidden }: Surroundings): Generator<Absent> {
  const gone = gaps.reduce(
    (sum, { from_seq, to_seq }) => sum + Math.max(0, Math.min(before - 1, to_seq) - Math.max(after + 1, from_seq) + 1),
    0,
  );
  if (gone > 0) yield { absent: "gone", count: gone, before };
  const count = hidden?.numbers.between(log, gaps, after + 1, before - 1) ?? 0;
  if (count > 0) yield { absent: "hidden", count, before };
}

/** Describes a gap row. */
export function absentWords({ absent, count }: Absent): string {
  const events = `${count.toLocaleString("en")} event${count === 1 ? "" : "s"}`;
  return absent === "hidden" ? `${events} hidden by permissions` : `${events} missing: no longer retained`;
}
