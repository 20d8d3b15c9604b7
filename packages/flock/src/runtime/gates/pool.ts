import type { StoredArtifact } from "../../blackboard/artifact.ts";
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
interface AgentQueue {
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
  readonly #queues: AgentQueue[] = [];
  /** How many artifacts a group still lacks. */
  #missing = 0;

  constructor(key: string | undefined, requires: ReadonlyMap<string, number>) {
    this.key = key;
    for (const [type, wanted] of requires) {
      this.#queues.push({ type, wanted, count: 0, first: undefined, last: undefined });
      this.#missing += wanted;
    }
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** The one that came first. */
  get oldest(): Entry | undefined {
    let oldest: Entry | undefined;
    for (const { first } of this.#queues) if (first && !(oldest && oldest.position < first.position)) oldest = first;
    return oldest;
  }

  add(entry: Entry): void {
    const queue = this.#laneOf(entry);
    if (queue.last) queue.last.after = entry;
    else queue.first = entry;
    queue.last = entry;
    queue.count += 1;
    if (queue.count <= queue.wanted) this.#missing -= 1;
    this.size += 1;
    this.bag.add(entry.artifact);
  }

  /** Takes out an entry, which is the oldest of its type. */
  remove(entry: Entry): void {
    const queue = this.#laneOf(entry);
    queue.first = entry.after;
    if (!queue.first) queue.last = undefined;
    if (queue.count <= queue.wanted) this.#missing += 1;
    queue.count -= 1;
    this.size -= 1;
    this.bag.remove(entry.artifact);
  }

  /** The oldest of each type that make a group, in the order of arrival. The pool is complete. */
  group(): Entry[] {
    const group: Entry[] = [];
    for (const { first, wanted } of this.#queues) {
      for (let entry = first, n = 0; entry && n < wanted; entry = entry.after, n++) group.push(entry);
    }
    return group.sort((a, b) => a.position - b.position);
  }

  /** How many artifacts of a type there are. */
  count(type: string): number {
    return this.#queues.find((queue) => queue.type === type)?.count ?? 0;
  }

  #laneOf({ artifact }: Entry): AgentQueue {
    return this.#queues.find(({ type }) => type === artifact.type) as AgentQueue;
  }
}
