import type { StoredArtifact } from "../../blackboard/stored-artifact.ts";
import { VisibilityBag } from "./visibility-bag.ts";

/** An artifact that waits in a gate: in its pool, by its type, and in the order of arrival among all pools. */
export interface Entry {
  readonly artifact: StoredArtifact;
  /** When it came, in milliseconds. */
  readonly at: number;
  /** The how many-th artifact that the gate took in. */
  readonly position: number;
  readonly pool: Pool;
  /** The next one of its type in its pool. */
  after: Entry | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** Everything that waits in a gate, oldest first. One may leave from anywhere at the same cost, however many there are. */
export class Arrivals {
  first: Entry | undefined;
  size = 0;
  #last: Entry | undefined;

  add(entry: Entry): void {
    entry.previous = this.#last;
    if (this.#last) this.#last.next = entry;
    else this.first = entry;
    this.#last = entry;
    this.size += 1;
  }

  remove(entry: Entry): void {
    const { previous, next } = entry;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    this.size -= 1;
  }
}

/** The artifacts of one type in a pool, oldest first. */
interface Lane {
  readonly type: string;
  readonly wanted: number;
  count: number;
  first: Entry | undefined;
  last: Entry | undefined;
}

/** What waits to belong together: artifacts of the same key. Nothing here depends on how many there are. */
export class Pool {
  readonly key: string | undefined;
  size = 0;
  readonly bag = new VisibilityBag();
  readonly #lanes: Lane[] = [];
  /** How many artifacts a group still lacks. */
  #missing = 0;

  constructor(key: string | undefined, requires: ReadonlyMap<string, number>) {
    this.key = key;
    for (const [type, wanted] of requires) {
      this.#lanes.push({ type, wanted, count: 0, first: undefined, last: undefined });
      this.#missing += wanted;
    }
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** The one that came first. */
  get oldest(): Entry | undefined {
    let oldest: Entry | undefined;
    for (const { first } of this.#lanes) if (first && !(oldest && oldest.position < first.position)) oldest = first;
    return oldest;
  }

  add(entry: Entry): void {
    const lane = this.#laneOf(entry);
    if (lane.last) lane.last.after = entry;
    else lane.first = entry;
    lane.last = entry;
    lane.count += 1;
    if (lane.count <= lane.wanted) this.#missing -= 1;
    this.size += 1;
    this.bag.add(entry.artifact);
  }

  /** Takes out an entry, which is the oldest of its type. */
  remove(entry: Entry): void {
    const lane = this.#laneOf(entry);
    lane.first = entry.after;
    if (!lane.first) lane.last = undefined;
    if (lane.count <= lane.wanted) this.#missing += 1;
    lane.count -= 1;
    this.size -= 1;
    this.bag.remove(entry.artifact);
  }

  /** The oldest of each type that make a group, in the order of arrival. The pool is complete. */
  group(): Entry[] {
    const group: Entry[] = [];
    for (const { first, wanted } of this.#lanes) {
      for (let entry = first, n = 0; entry && n < wanted; entry = entry.after, n++) group.push(entry);
    }
    return group.sort((a, b) => a.position - b.position);
  }

  /** How many artifacts of a type there are. */
  count(type: string): number {
    return this.#lanes.find((lane) => lane.type === type)?.count ?? 0;
  }

  #laneOf({ artifact }: Entry): Lane {
    return this.#lanes.find(({ type }) => type === artifact.type) as Lane;
  }
}
