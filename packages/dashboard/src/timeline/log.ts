import type { ControlOf, FlockEvent } from "@flock-ts/protocol";

/** An event, or a gap where events are missing. */
export type LogEntry = FlockEvent | ControlOf<"gap">;

/** The events up to a position at a point in time. */
export class Log {
  readonly #events: readonly FlockEvent[];
  /** The number of events. */
  readonly length: number;

  constructor(events: readonly FlockEvent[], length: number) {
    this.#events = events;
    this.length = length;
  }

  /** An event by its index; undefined beyond the end. */
  at(index: number): FlockEvent | undefined {
    return index < this.length ? this.#events[index < 0 ? this.length + index : index] : undefined;
  }

  /** The index of the newest event up to a seq; -1 when there is none. */
  indexOf(seq: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as FlockEvent).seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Returns a range of events by index, the end excluded. */
  slice(from: number, to = this.length): readonly FlockEvent[] {
    return this.#events.slice(Math.max(0, from), Math.min(to, this.length));
  }
}
