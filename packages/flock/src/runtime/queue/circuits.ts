import type { AgentCircuit, EventDraft } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { visibleWithAgent } from "../../agents/definition.ts";
import type { Clock } from "../../core/clock.ts";
import type { Activation } from "../runs/activation.ts";
import { type BreakerQueue, CircuitBreaker } from "./circuit-breaker.ts";

/** What {@link Circuits} work with. */
export interface CircuitsOptions {
  readonly clock: Clock;
  readonly emit: (event: EventDraft) => void;
  /** The queue behind an agent's breaker. */
  readonly queueOf: (agent: string) => BreakerQueue;
}

/** The circuit breakers of the agents that have one, and what viewers are told of them. */
export class Circuits {
  readonly #options: CircuitsOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Circuits that were not closed when the last process ended, of agents that have not been asked for yet. */
  readonly #before = new Map<string, AgentCircuit>();

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /** How circuits stood when the last process ended, which goes on. Nothing is told: the log has it. */
  restore(circuits: Iterable<readonly [agent: string, circuit: AgentCircuit]>): void {
    for (const [agent, circuit] of circuits) this.#before.set(agent, circuit);
  }

  /** An agent is declared. One that has no breaker any more is left alone no longer. */
  registered(agent: AgentDefinition): void {
    if (agent.circuitBreaker || !this.#before.delete(agent.name)) return;
    this.#options.emit({ type: "agent_circuit_changed", state: "closed", ...visibleWithAgent(agent) });
  }

  /** What stands before an agent's queue, if something does. */
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

  /** How many activations are held back. */
  get held(): number {
    let held = 0;
    for (const breaker of this.#breakers.values()) held += breaker.held;
    return held;
  }

  /** Takes out what is held back, and gives it back. */
  withdraw(wanted: (activation: Activation) => boolean): Activation[] {
    return [...this.#breakers.values()].flatMap((breaker) => breaker.withdraw(wanted));
  }
}
