import type { AgentCircuit, CircuitInfo, RunStatus } from "@flock-ts/protocol";
import type { CircuitLimits } from "../../agents/circuit-options.ts";
import type { Clock } from "../../core/clock.ts";
import { FlockError } from "../../core/errors.ts";
import { isoTime } from "../../core/time.ts";
import type { Activation } from "../runs/activation.ts";

/** What a breaker does to the queue of its agent. */
export interface BreakerQueue {
  /** Takes the agent's activations that have not started out of the queue. */
  withdraw(): readonly Activation[];
  /** Queues one that was held. */
  enqueue(activation: Activation): void;
}

/**
 * Stands before an agent's queue: closed, it lets all pass; open, it holds them until the cooldown is over; then, half
 * open, it lets one pass, on whose end it depends what it does with the rest.
 */
export class CircuitBreaker {
  readonly #limits: CircuitLimits;
  readonly #clock: Clock;
  readonly #queue: BreakerQueue;
  readonly #tell: (info: CircuitInfo) => void;
  #state: CircuitInfo["state"] = "closed";
  /** When the newest failures in a row were, in ms; no more of them than are needed. */
  #failures: number[] = [];
  #opensUntil = 0;
  #held = new Set<Activation>();
  /** The id of the activation that tries whether the agent works again. */
  #probe: string | undefined;
  #callOff: (() => void) | undefined;

  /** `tell` is called at each change of the state. `before`: how it stood in an earlier process, from where it goes on. */
  constructor(
    limits: CircuitLimits,
    clock: Clock,
    queue: BreakerQueue,
    tell: (info: CircuitInfo) => void,
    before?: AgentCircuit,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#queue = queue;
    this.#tell = tell;
    if (!before) return;
    this.#state = before.state;
    this.#failures = Array(Math.min(before.failures ?? 0, limits.failures)).fill(clock.now());
    // The agent may have been declared anew with less patience.
    this.#opensUntil = Math.min(Date.parse(before.retry_at ?? ""), clock.now() + limits.cooldown) || 0;
  }

  get held(): number {
    return this.#held.size;
  }

  /** As the wire tells it. */
  get info(): CircuitInfo {
    const until = this.#state === "open" ? { open_until: isoTime(this.#opensUntil) } : {};
    return { state: this.#state, failures: this.#failures.length, ...until };
  }

  /** Whether an activation may be queued now. One that may not is held, and queued when its time has come. */
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

  /** A run of the agent has ended, or was cancelled before it began. Tells whether the circuit has opened with that. */
  ended({ id, refusal }: Pick<Activation, "id" | "refusal">, status: RunStatus, failure?: unknown): boolean {
    const isProbe = id === this.#probe;
    if (isProbe) this.#probe = undefined;
    // What began before the circuit opened tells nothing of how the agent is now.
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
    // What is held already has waited longer than what is only now taken out of the queue.
    for (const activation of this.#queue.withdraw()) this.#held.add(activation);
    if (this.#held.size > 0) this.#wait();
    return true;
  }

  /** Takes out what is held, and gives it back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    const withdrawn = [...this.#held].filter(wanted);
    for (const activation of withdrawn) this.#held.delete(activation);
    if (this.#held.size === 0) this.#callOff?.();
    return withdrawn;
  }

  #change(state: CircuitInfo["state"]): void {
    this.#state = state;
    this.#tell(this.info);
  }

  #hold(activation: Activation): void {
    this.#held.add(activation);
    if (this.#state === "open" && this.#held.size === 1) this.#wait();
  }

  /** Until the cooldown is over. The process stays alive for it: there is work to do then. */
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
    const held = this.#held;
    this.#held = new Set();
    for (const activation of held) this.#queue.enqueue(activation);
  }
}

/** Whether a run was refused or stopped by its budget, which tells nothing of whether the agent works. */
function isOverspent(failure: unknown): boolean {
  return failure instanceof FlockError && failure.code === "budget_exceeded";
}
