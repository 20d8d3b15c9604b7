/** How long turns may go on in one go, in ms, before agents, sockets and live clients have theirs. */
const TURN_MS = 5;

/** Gives those who have work to do one turn after the other; whoever is not done takes another one after the others. */
export class Turns<Worker> {
  readonly #work: (worker: Worker) => void;
  #queue: Worker[] = [];
  #comes = false;

  /** @param work one turn of a worker: short, and never throwing. */
  constructor(work: (worker: Worker) => void) {
    this.#work = work;
  }

  /** Whether nobody waits for a turn. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  /** `worker` has its turn soon, after those who asked before, and never in this same call. */
  take(worker: Worker): void {
    this.#queue.push(worker);
    if (this.#comes) return;
    this.#comes = true;
    setImmediate(this.#give);
  }

  readonly #give = (): void => {
    const until = performance.now() + TURN_MS;
    const queue = this.#queue;
    this.#queue = [];
    let next = 0;
    while (next < queue.length && performance.now() < until) this.#work(queue[next++] as Worker);
    if (next < queue.length) this.#queue = [...queue.slice(next), ...this.#queue];
    this.#comes = this.#queue.length > 0;
    if (this.#comes) setImmediate(this.#give);
  };
}
