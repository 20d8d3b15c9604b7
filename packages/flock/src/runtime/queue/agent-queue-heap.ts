import type { AgentQueue } from "./agent-queue.ts";

/** A binary heap of agent queues, ordered by priority and then by the arrival of their first activation. */
export class AgentQueueHeap {
  readonly #queues: AgentQueue[] = [];
  readonly #arrivalOf: (queue: AgentQueue) => number;

  /**
   * @param arrivalOf returns the arrival of a queue's first activation, which must not change while the queue is in the
   * heap.
   */
  constructor(arrivalOf: (queue: AgentQueue) => number) {
    this.#arrivalOf = arrivalOf;
  }

  push(queue: AgentQueue): void {
    const queues = this.#queues;
    let index = queues.push(queue) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Removes and returns the first queue. */
  pop(): AgentQueue | undefined {
    const queues = this.#queues;
    const first = queues[0];
    const last = queues.pop();
    if (first === last || !last) return first;
    queues[0] = last;
    for (let index = 0; ; ) {
      let best = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < queues.length && this.#isBefore(child, best)) best = child;
      }
      if (best === index) return first;
      this.#swap(index, best);
      index = best;
    }
  }

  clear(): void {
    this.#queues.length = 0;
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#queues[a] as AgentQueue, this.#queues[b] as AgentQueue];
    return one.priority === other.priority
      ? this.#arrivalOf(one) < this.#arrivalOf(other)
      : one.priority > other.priority;
  }

  #swap(a: number, b: number): void {
    const queue = this.#queues[a] as AgentQueue;
    this.#queues[a] = this.#queues[b] as AgentQueue;
    this.#queues[b] = queue;
  }
}
