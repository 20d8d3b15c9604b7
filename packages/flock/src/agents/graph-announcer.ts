import { type EventDraft, topologyOf } from "@flock/protocol";
import type { AgentDefinition } from "./agent.ts";

/** Announcing may cost this share of the time: a graph of n agents is told again after n / 10 ms at the earliest. */
const AGENTS_PER_MS = 10;
/** However large the graph is, a change is told within this time (ms). */
const MAX_DELAY_MS = 1_000;

/** Tells when the topology has changed. Agents declared in one tick make one event; the last state wins. */
export class GraphAnnouncer {
  readonly #agents: ReadonlyMap<string, AgentDefinition>;
  readonly #emit: (event: EventDraft) => void;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(agents: ReadonlyMap<string, AgentDefinition>, emit: (event: EventDraft) => void) {
    this.#agents = agents;
    this.#emit = emit;
  }

  /** The topology has changed. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wait = this.#lastAt + Math.min(MAX_DELAY_MS, this.#agents.size / AGENTS_PER_MS) - performance.now();
    if (wait <= 0) queueMicrotask(() => this.#announce());
    else this.#timer = setTimeout(() => this.#announce(), wait).unref();
  }

  /** Tells at once what is still to be told, and stops. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#scheduled) this.#announce();
  }

  #announce(): void {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    this.#lastAt = performance.now();
    this.#emit({ type: "graph_updated", ...topologyOf([...this.#agents.values()].map(declared)) });
  }
}

/** An agent as the wire declares it. */
export function declared(agent: AgentDefinition) {
  return {
    agent_id: agent.name,
    description: agent.description,
    consumes: [...agent.consumes.keys()],
    publishes: [...agent.publishes.keys()],
  };
}
