import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { VisibilityBag } from "./visibility-bag.ts";

/** An artifact in a gate. It is linked in its pool by type, and in the order of arrival across pools. */
export interface Entry {
  readonly artifact: StoredArtifact;
  /** Arrival time, in milliseconds. */
  readonly at: number;
  /** Sequence number of the artifact in the gate, from 1. */
  readonly position: number;
  readonly pool: Pool;
  /** Next entry of the same type in the pool. */
  after: Entry | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** All entries of a gate, oldest first. Removal takes constant time at any position. */
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
  readonly required: number;
  count: number;
  first: Entry | undefined;
  last: Entry | undefined;
}

/** Artifacts with the same key that can form a group. All operations are independent of the pool's size. */
export class Pool {
  readonly key: string | undefined;
  size = 0;
  readonly bag = new VisibilityBag();
  readonly #queues: AgentQueue[] = [];
  /** Number of artifacts that a group still lacks. */
  #missing = 0;

  constructor(key: string | undefined, requires: ReadonlyMap<string, number>) {
    this.key = key;
    for (const [type, required] of requires) {
      this.#queues.push({ type, required, count: 0, first: undefined, last: undefined });
      this.#missing += required;
    }
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** The entry that arrived first. */
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
    if (queue.count <= queue.required) this.#missing -= 1;
    this.size += 1;
    this.bag.add(entry.artifact);
  }

  /** Removes an entry, which must be the oldest of its type. */
  remove(entry: Entry): void {
    const queue = this.#laneOf(entry);
    queue.first = entry.after;
    if (!queue.first) queue.last = undefined;
    if (queue.count <= queue.required) this.#missing += 1;
    queue.count -= 1;
    this.size -= 1;
    this.bag.remove(entry.artifact);
  }

  /** Returns the oldest entries of each type that form a group, in order of arrival. The pool must be complete. */
  group(): Entry[] {
    const group: Entry[] = [];
    for (const { first, required } of this.#queues) {
      for (let entry = first, n = 0; entry && n < required; entry = entry.after, n++) group.push(entry);
    }
    return group.sort((a, b) => a.position - b.position);
  }

  /** All artifacts, in order of arrival. Takes time linear in their number. */
  get artifacts(): StoredArtifact[] {
    const entries: Entry[] = [];
    for (const { first } of this.#queues) for (let entry = first; entry; entry = entry.after) entries.push(entry);
    return entries.sort((a, b) => a.position - b.position).map(({ artifact }) => artifact);
  }

  /** Returns the number of artifacts of a type. */
  count(type: string): number {
    return this.#queues.find((queue) => queue.type === type)?.count ?? 0;
  }

  #laneOf({ artifact }: Entry): AgentQueue {
    return this.#queues.find(({ type }) => type === artifact.type) as AgentQueue;
  }
}
