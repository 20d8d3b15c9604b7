/** How long turns may go on in one go, in ms, before agents, sockets and live clients have theirs. */
const TURN_MS = 5;

/** Gives those who have work to do one turn after the other; whoever is not done takes another one after the others. */
export class TimeSlices<Worker> {
  readonly #work: (worker: Worker) => void;
  readonly #failed: (worker: Worker, error: unknown) => void;
  #queue: Worker[] = [];
  readonly #restAfter: (workedMs: number) => number;
  #comes = false;
  /** Adds up rests that are too short for a timer. */
  #notBefore = 0;

  /**
   * @param work one short turn of a worker.
   * @param failed receives what `work` throws; the turns of the others go on. It must not throw.
   * @param restAfter how long nobody has a turn after so much work, in ms. Default: no time at all.
   */
  constructor(
    work: (worker: Worker) => void,
    failed: (worker: Worker, error: unknown) => void,
    restAfter: (workedMs: number) => number = () => 0,
  ) {
    this.#work = work;
    this.#failed = failed;
    this.#restAfter = restAfter;
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
    this.#schedule();
  }

  #schedule(): void {
    const wait = this.#notBefore - performance.now();
    if (wait < 1) setImmediate(this.#give);
    else setTimeout(this.#give, wait);
  }

  readonly #give = (): void => {
    const started = performance.now();
    const until = started + TURN_MS;
    const queue = this.#queue;
    this.#queue = [];
    let next = 0;
    while (next < queue.length && performance.now() < until) this.#giveTo(queue[next++] as Worker);
    if (next < queue.length) this.#queue = [...queue.slice(next), ...this.#queue];
    const rest = this.#restAfter(performance.now() - started);
    if (rest > 0) this.#notBefore = Math.max(this.#notBefore, started) + rest;
    this.#comes = this.#queue.length > 0;
    if (this.#comes) this.#schedule();
  };

  /** An exception that left this loop would end the process, and with it every other worker. */
  #giveTo(worker: Worker): void {
    try {
      this.#work(worker);
    } catch (error) {
      this.#failed(worker, error);
    }
  }
}
