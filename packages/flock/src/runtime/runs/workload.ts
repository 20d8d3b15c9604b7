import type { Journal } from "../../store/journal.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { RunQueue, type RunQueueDeps } from "../queue/run-queue.ts";
import type { Activation } from "./activation.ts";
import type { Activations } from "./activations.ts";
import type { RunSlot } from "./occupancy.ts";
import type { RunEnd } from "./run-end.ts";

/** Numbers of runs: all that started, those that ended by status, and those that run or wait now. */
export type RunCounts = Readonly<Record<RunEnd["status"] | "started" | "running" | "queued", number>>;

/** Collaborators and settings of {@link Workload}. */
export interface WorkloadOptions extends Omit<RunQueueDeps, "onHeld"> {
  readonly activations: Pick<Activations, "ended" | "unfinished">;
  readonly tracing: Pick<Tracing, "ended">;
  readonly journal: Pick<Journal, "settled">;
}

const NO_RUNS = { started: 0, success: 0, error: 0, cancelled: 0, timeout: 0, interrupted: 0 };

/** All activations that have not ended: queues them, counts how they end, and reports when none is left. */
export class Workload {
  readonly queue: RunQueue;
  readonly #options: WorkloadOptions;
  readonly #counts = { ...NO_RUNS };
  readonly #heldListeners: ((agent: string) => void)[] = [];
  #idle = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.queue = new RunQueue({
      ...options,
      start: (activation) => {
        this.#counts.started += 1;
        return options.start(activation);
      },
      onHeld: ({ agent }) => {
        this.#reportHeld(agent.name);
        this.noteIdle();
      },
    });
  }

  get counts(): RunCounts {
    return { ...this.#counts, running: this.queue.scheduler.running, queued: this.queue.size };
  }

  /** Whether the flock shuts down. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Starts an activation as soon as all limits allow it. */
  enqueue(activation: Activation): void {
    if (this.#isStopped) this.leaveForLater(activation);
    else this.queue.enqueue(activation);
  }

  /** Enqueues an activation at a time, in milliseconds. */
  enqueueAt(activation: Activation, at: number): void {
    if (this.#isStopped) this.leaveForLater(activation);
    else this.queue.enqueueAt(activation, at);
  }

  /** Calls `listener` with the name of each paused agent whose queue has changed. */
  onHeld(listener: (agent: string) => void): void {
    this.#heldListeners.push(listener);
  }

  /** Reports that the queues of these activations' agents have changed, unless no agent is paused. */
  reportWithdrawn(withdrawn: readonly Activation[]): void {
    if (this.queue.scheduler.paused.size === 0) return;
    for (const agent of new Set(withdrawn.map((activation) => activation.agent.name))) this.#reportHeld(agent);
  }

  #reportHeld(agent: string): void {
    for (const listener of this.#heldListeners) listener(agent);
  }

  /** Returns the slot of a run. */
  slotOf(activation: Activation): RunSlot {
    return {
      release: () => {
        this.queue.release(activation);
        this.noteIdle();
      },
      reacquire: () => this.queue.scheduler.reacquireSlot(activation),
    };
  }

  /** Counts the end of an attempt. The activation continues with another attempt. */
  attemptEnded(activation: Activation, end: RunEnd): void {
    this.#counts[end.status] += 1;
    this.#options.tracing.ended(end);
    this.queue.ended(activation);
  }

  /** Counts the end of an activation and reports it to the caller that waits for it. */
  ended(activation: Activation, end: RunEnd): void {
    this.attemptEnded(activation, end);
    activation.onEnd?.(end);
    this.abandon(activation);
  }

  /**
   * Ends an activation in this process, because the flock shuts down. If the store outlives the process, the activation
   * stays queued for the next one.
   */
  leaveForLater(activation: Activation): void {
    this.ended(activation, { runId: activation.runId, status: "interrupted", durationMs: 0, produced: [] });
  }

  /** Forgets an activation, such as one that could not be written. */
  abandon(activation: Activation): void {
    this.#options.activations.ended(activation);
    this.noteIdle();
  }

  /** Runs that wait for a person may wait for days, so they count as idle, except during a shutdown: it ends them first. */
  get #isIdle(): boolean {
    const { held, away } = this.queue.scheduler;
    return this.#options.activations.unfinished <= held + (this.#isStopped ? 0 : away);
  }

  /** Resolves the callers of {@link idle} if nothing is left to do. */
  noteIdle(): void {
    if (!this.#isIdle) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  /**
   * Resolves when all writes are committed, only paused agents have queued activations, and the only runs are those that
   * wait for people.
   */
  async idle(): Promise<void> {
    for (;;) {
      await this.#options.journal.settled();
      if (this.#isIdle) return;
      await this.#idle.promise;
    }
  }

  /** Starts no more runs: what is enqueued from now on is left for the next process. */
  stop(): void {
    this.#isStopped = true;
  }
}
