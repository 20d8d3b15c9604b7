import { type EventDraft, type LastingVisibility, OWNER_ONLY, topologyOf } from "@flock-ts/protocol";
import type { AgentDefinition } from "../agents/definition.ts";

/** Announcing may cost this share of the time: a graph of n agents is told again after n / 10 ms at the earliest. */
const AGENTS_PER_MS = 10;
/** However large the graph is, a change is told within this time (ms). */
const MAX_DELAY_MS = 1_000;

/**
 * Tells when the topology has changed. Agents declared in one tick make one event, or one for each tenant, which sees its own
 * agents and those of none; the last state wins.
 */
export class TopologyAnnouncer {
  readonly #agents: ReadonlyMap<string, AgentDefinition>;
  readonly #emit: (event: EventDraft) => void;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** How many agents were told last time, over all who were told. */
  #told = 0;

  constructor(agents: ReadonlyMap<string, AgentDefinition>, emit: (event: EventDraft) => void) {
    this.#agents = agents;
    this.#emit = emit;
  }

  /** The topology has changed. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wait =
      this.#lastAt +
      Math.min(MAX_DELAY_MS, Math.max(this.#agents.size, this.#told) / AGENTS_PER_MS) -
      performance.now();
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
    this.#told = 0;
    const agents = [...this.#agents.values()];
    const tenants = new Map(
      agents.flatMap(({ principal, visibility }) =>
        principal.tenant ? [[principal.tenant, visibility] as const] : [],
      ),
    );
    if (tenants.size === 0) return this.#tell(agents);
    // Each is told after what it may see beside, so that the newest which anybody sees is all that they may see.
    this.#tell(agents.filter(({ principal }) => principal.tenant === undefined));
    for (const [tenant, visibility] of tenants)
      this.#tell(
        agents.filter(({ principal }) => principal.tenant === undefined || principal.tenant === tenant),
        visibility,
      );
    this.#tell(agents, OWNER_ONLY);
  }

  #tell(agents: readonly AgentDefinition[], visibility?: LastingVisibility): void {
    this.#told += agents.length;
    const topology = topologyOf(agents.map(declared));
    this.#emit({ type: "graph_updated", ...topology, ...(visibility ? { visibility } : {}) });
  }
}

/** An agent as the wire declares it. */
export function declared(agent: AgentDefinition) {
  return {
    agent_id: agent.name,
    description: agent.description,
    consumes: [...agent.consumes.keys()],
    publishes: [...agent.publishes.keys()],
    ...(agent.visibility.kind === "public" ? {} : { visibility: agent.visibility }),
  };
}
