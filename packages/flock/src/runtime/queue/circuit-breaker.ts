import type { AgentCircuit, CircuitInfo, RunStatus } from "@flock-ts/protocol";
import type { CircuitLimits } from "../../agents/circuit-options.ts";
import type { Clock } from "../../core/clock.ts";
import { FlockError } from "../../core/errors.ts";
import { isoTime } from "../../core/time.ts";
import type { Activation } from "../runs/activation.ts";

/** Operations of a breaker on its agent's queue. */
export interface BreakerQueue {
  /** Removes and returns the agent's activations that have not started. */
  withdraw(): readonly Activation[];
  /** Queues a held activation. */
  enqueue(activation: Activation): void;
}

/**
 * Guards an agent's queue. Closed, it passes all activations. Open, it holds them until the cooldown is over.
 * Half-open, it passes one trial activation, whose result closes or reopens the circuit.
 */
export class CircuitBreaker {
  readonly #limits: CircuitLimits;
  readonly #clock: Clock;
  readonly #queue: BreakerQueue;
  readonly #report: (info: CircuitInfo) => void;
  #state: CircuitInfo["state"] = "closed";
  /** Times of the latest consecutive failures, in ms; no more than the limit. */
  #failures: number[] = [];
  #opensUntil = 0;
  #held = new Set<Activation>();
  /** Id of the trial activation that occupies its slot. */
  #probe: string | undefined;
  /** Ids of trial activations that wait for a person or another run. Their end still counts. */
  readonly #waitingProbes = new Set<string>();
  #callOff: (() => void) | undefined;

  /**
   * @param report is called on each state change.
   * @param before state from an earlier process.
   */
  constructor(
    limits: CircuitLimits,
    clock: Clock,
    queue: BreakerQueue,
    report: (info: CircuitInfo) => void,
    before?: AgentCircuit,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#queue = queue;
    this.#report = report;
    if (!before) return;
    this.#state = before.state;
    this.#failures = Array(Math.min(before.failures ?? 0, limits.failures)).fill(clock.now());
    // The agent may have been redeclared with a shorter cooldown.
    this.#opensUntil = Math.min(Date.parse(before.retry_at ?? ""), clock.now() + limits.cooldown) || 0;
  }

  get held(): number {
    return this.#held.size;
  }

  /** The state in its wire form. */
  get info(): CircuitInfo {
    const until = this.#state === "open" ? { open_until: isoTime(this.#opensUntil) } : {};
    return { state: this.#state, failures: this.#failures.length, ...until };
  }

  /** Returns whether an activation may be queued now. Otherwise it is held and queued later. */
  admits(activation: Activation): boolean {
    if (this.#state === "closed") return true;
    if (this.#state === "open" && this.#clock.now() >= this.#opensUntil) this.#change("half_open");
    if (this.#state === "half_open" && this.#probe === undefined && this.#held.size === 0) {
      this.#probe = activation.id;
      return true;
    }
    this.#hold(activation);
    return false;
  }

  /** Records the end of a run, or a cancellation before its start. Returns whether it opened the circuit. */
  ended({ id, refusal }: Pick<Activation, "id" | "refusal">, status: RunStatus, failure?: unknown): boolean {
    const hasWaited = this.#waitingProbes.delete(id) && this.#state === "half_open";
    const isProbe = id === this.#probe || hasWaited;
    if (id === this.#probe) this.#probe = undefined;
    // Runs that started before the circuit opened say nothing about the agent's current state.
    if (this.#state !== "closed" && !isProbe) return false;
    if (refusal || isOverspent(failure) || status === "cancelled" || status === "interrupted") {
      if (isProbe) this.#tryNext();
      return false;
    }
    if (status === "success") {
      this.#failures = [];
      if (isProbe) this.#close();
      return false;
    }
    const now = this.#clock.now();
    const { failures, within } = this.#limits;
    this.#failures = [...this.#failures, now].slice(-failures);
    const isFull = this.#failures.length >= failures && now - (this.#failures[0] as number) <= within;
    if (!isProbe && !isFull) return false;
    this.#opensUntil = now + this.#limits.cooldown;
    this.#change("open");
    // Held activations have waited longer than those that are withdrawn now.
    for (const activation of this.#queue.withdraw()) this.#held.add(activation);
    if (this.#held.size > 0) this.#wait();
    return true;
  }

  /** A run waits for a person or another run, maybe for days. If it is the trial, the next activation becomes one too. */
  released({ id }: Pick<Activation, "id">): void {
    if (id !== this.#probe) return;
    this.#waitingProbes.add(id);
    this.#probe = undefined;
    this.#tryNext();
  }

  /** Removes and returns held activations. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    const withdrawn = [...this.#held].filter(matches);
    for (const activation of withdrawn) this.#held.delete(activation);
    if (this.#held.size === 0) this.#callOff?.();
    return withdrawn;
  }

  #change(state: CircuitInfo["state"]): void {
    this.#state = state;
    this.#report(this.info);
  }

  #hold(activation: Activation): void {
    this.#held.add(activation);
    if (this.#state === "open" && this.#held.size === 1) this.#wait();
  }

  /** Waits for the end of the cooldown. Keeps the process alive, because held work is pending. */
  #wait(): void {
    this.#callOff?.();
    this.#callOff = this.#clock.after(
      Math.max(0, this.#opensUntil - this.#clock.now()),
      () => {
        if (this.#state !== "open") return;
        this.#change("half_open");
        this.#tryNext();
      },
      true,
    );
  }

  #tryNext(): void {
    const [next] = this.#held;
    if (!next || this.#probe !== undefined) return;
    this.#held.delete(next);
    this.#probe = next.id;
    this.#queue.enqueue(next);
  }

  #close(): void {
    this.#change("closed");
    this.#waitingProbes.clear();
    const held = this.#held;
    this.#held = new Set();
    for (const activation of held) this.#queue.enqueue(activation);
  }
}

/** Returns whether a budget rejected or stopped the run, which says nothing about the agent's health. */
function isOverspent(failure: unknown): boolean {
  return failure instanceof FlockError && failure.code === "budget_exceeded";
}
