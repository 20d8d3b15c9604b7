import type { Filter } from "@flock/protocol";
import { type Batch, Tail, type TailEvent } from "./tail.ts";

/** The log as readers know it: which one it is, its tail, and a call when it has grown. */
export class EventLog {
  /** Which log this is: a seq means nothing in another epoch. */
  readonly epoch: string;
  readonly tail: Tail;
  readonly #listeners = new Set<() => void>();
  #events = 0;

  constructor(epoch: string, tailBytes: number) {
    this.epoch = epoch;
    this.tail = new Tail(tailBytes);
  }

  /** The newest seq; 0 when the log is empty. */
  get head(): number {
    return this.tail.head;
  }

  /** The oldest seq that is kept; `head + 1` when none is. */
  get oldest(): number {
    return this.tail.oldest;
  }

  /** How many events this process has added. */
  get appended(): number {
    return this.#events;
  }

  /**
   * Reads on after `after`, up to `until`, what passes `filter`: at most about `maxBytes`, but at least one event.
   * The caller has checked that all of it is kept (`after + 1 >= oldest`). A promise when it is not at hand.
   */
  read(after: number, until: number, filter: Filter | undefined, maxBytes: number): Batch | Promise<Batch> {
    return this.tail.read(after, until, filter, maxBytes);
  }

  /** The seq after which exactly the newest `count` matching events up to `until` come; `oldest - 1` when there are fewer. */
  beforeNewest(count: number, until: number, filter: Filter | undefined): number {
    return this.tail.beforeNewest(count, until, filter);
  }

  /** Adds committed events, in order, then tells the listeners once. */
  append(events: readonly TailEvent[]): void {
    for (const event of events) this.tail.append(event);
    this.#events += events.length;
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever the log has grown. Returns how to stop that. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
