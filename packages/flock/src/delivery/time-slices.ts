import { type Clock, elapsed } from "../core/clock.ts";

/** How long workers may run without a break, in ms, before the event loop serves agents, sockets and live clients. */
const SLICE_MS = 5;

/** How {@link TimeSlices} run workers. */
export interface TimeSlicesOptions<Worker> {
  readonly clock: Clock;
  /** Runs one short slice of a worker. */
  readonly work: (worker: Worker) => void;
  /** Receives the exceptions of `work`; other workers are not affected. It must not throw. */
  readonly failed: (worker: Worker, error: unknown) => void;
  /** Returns how long all workers pause after so much work, in ms. Default: no pause. */
  readonly restAfter?: (workedMs: number) => number;
}

/** Runs workers in turns, one short slice each. A worker that has more to do queues again, behind the others. */
export class TimeSlices<Worker> {
  readonly #options: TimeSlicesOptions<Worker>;
  #queue: Worker[] = [];
  #isScheduled = false;
  /** Accumulates pauses that are too short for a timer. */
  #notBefore = 0;

  constructor(options: TimeSlicesOptions<Worker>) {
    this.#options = options;
  }

  /** Whether no worker is queued. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  /** Queues a slice of `worker`, behind the workers queued before. It never runs in the same call. */
  add(worker: Worker): void {
    this.#queue.push(worker);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    const wait = this.#notBefore - elapsed(clock);
    if (wait < 1) setImmediate(this.#run);
    else clock.after(wait, this.#run, true);
  }

  readonly #run = (): void => {
    const { clock, restAfter } = this.#options;
    const started = elapsed(clock);
    const until = started + SLICE_MS;
    const queue = this.#queue;
    this.#queue = [];
    let next = 0;
    while (next < queue.length && elapsed(clock) < until) this.#runSlice(queue[next++] as Worker);
    if (next < queue.length) this.#queue = [...queue.slice(next), ...this.#queue];
    const rest = restAfter?.(elapsed(clock) - started) ?? 0;
    if (rest > 0) this.#notBefore = Math.max(this.#notBefore, started) + rest;
    this.#isScheduled = this.#queue.length > 0;
    if (this.#isScheduled) this.#schedule();
  };

  /** An exception that left the loop would end the process. */
  #runSlice(worker: Worker): void {
    try {
      this.#options.work(worker);
    } catch (error) {
      this.#options.failed(worker, error);
    }
  }
}
