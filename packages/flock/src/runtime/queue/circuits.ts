import type { AgentCircuit, EventDraft } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { visibleWithAgent } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";
import { type BreakerQueue, CircuitBreaker } from "./circuit-breaker.ts";

/** Collaborators of {@link Circuits}. */
export interface CircuitsOptions {
  readonly clock: Clock;
  readonly emit: (event: EventDraft) => void;
  /** Returns the queue behind an agent's breaker. */
  readonly queueOf: (agent: string) => BreakerQueue;
}

/** Manages the circuit breakers of all agents and reports their state to subscribers. */
export class Circuits {
  readonly #options: CircuitsOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Circuits of the previous process that were not closed, until their agent is first used. */
  readonly #before = new Map<string, AgentCircuit>();

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /** Restores the circuits of the previous process. Emits nothing, because the log already has the events. */
  restore(circuits: Iterable<readonly [agent: string, circuit: AgentCircuit]>): void {
    for (const [agent, circuit] of circuits) this.#before.set(agent, circuit);
  }

  /** Registers a declared agent. A restored circuit is closed if the agent no longer has a breaker. */
  registered(agent: AgentDefinition): void {
    if (agent.circuitBreaker || !this.#before.delete(agent.name)) return;
    this.#options.emit({ type: "agent_circuit_changed", state: "closed", ...visibleWithAgent(agent) });
  }

  /** Returns an agent's breaker, if it has one. */
  of(agent: AgentDefinition): CircuitBreaker | undefined {
    const { name, circuitBreaker: limits } = agent;
    if (!limits) return undefined;
    let breaker = this.#breakers.get(name);
    if (!breaker) {
      const { clock, emit, queueOf } = this.#options;
      breaker = new CircuitBreaker(
        limits,
        clock,
        queueOf(name),
        ({ state, failures, open_until }) =>
          emit({
            type: "agent_circuit_changed",
            state,
            ...(open_until === undefined ? {} : { failures, retry_at: open_until }),
            ...visibleWithAgent(agent),
          }),
        this.#before.get(name),
      );
      this.#before.delete(name);
      this.#breakers.set(name, breaker);
    }
    return breaker;
  }

  /** Number of held activations. */
  get held(): number {
    let held = 0;
    for (const breaker of this.#breakers.values()) held += breaker.held;
    return held;
  }

  /** Removes and returns held activations. */
  withdraw(matches: (activation: Activation) => boolean): Activation[] {
    return [...this.#breakers.values()].flatMap((breaker) => breaker.withdraw(matches));
  }
}
