import type { AgentQueue } from "./agent-queue.ts";

/** Lanes in the order in which they may begin: by priority, and within one by who has waited longest. A binary heap. */
export class AgentQueueHeap {
  readonly #queues: AgentQueue[] = [];
  readonly #arrivalOf: (queue: AgentQueue) => number;

  /** `arrivalOf`: when the first of a queue came. It must not change while the queue is in here. */
  constructor(arrivalOf: (queue: AgentQueue) => number) {
    this.#arrivalOf = arrivalOf;
  }

  push(queue: AgentQueue): void {
    const queues = this.#queues;
    let place = queues.push(queue) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Takes the first out. */
  pop(): AgentQueue | undefined {
    const queues = this.#queues;
    const first = queues[0];
    const last = queues.pop();
    if (first === last || !last) return first;
    queues[0] = last;
    for (let place = 0; ; ) {
      let best = place;
      for (const child of [2 * place + 1, 2 * place + 2]) {
        if (child < queues.length && this.#isBefore(child, best)) best = child;
      }
      if (best === place) return first;
      this.#swap(place, best);
      place = best;
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
