import { type EventDraft, type LastingVisibility, OWNER_ONLY, topologyOf } from "@flock-ts/protocol";
import type { AgentDefinition } from "../agents/definition.ts";

/** Announcing may cost this share of the time: a graph of n agents is announced again after n / 10 ms at the earliest. */
const AGENTS_PER_MS = 10;
/** However large the graph is, a change is announced within this time (ms). */
const MAX_DELAY_MS = 1_000;
/** The longest part of a graph, in characters of JSON: a character takes at most three bytes. */
const PART_CHARACTERS = 256 * 1024;

type Topology = ReturnType<typeof topologyOf>;

/**
 * Announces changes of the topology. Agents declared in one tick make one event, or one for each tenant, which sees its own
 * agents and those of none; the last state wins.
 */
export class TopologyAnnouncer {
  readonly #agents: ReadonlyMap<string, AgentDefinition>;
  readonly #emit: (event: EventDraft) => void;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** The number of agents in the last announcement, summed over its events. */
  #announcedAgents = 0;

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
      Math.min(MAX_DELAY_MS, Math.max(this.#agents.size, this.#announcedAgents) / AGENTS_PER_MS) -
      performance.now();
    if (wait <= 0) queueMicrotask(() => this.#announce());
    else this.#timer = setTimeout(() => this.#announce(), wait).unref();
  }

  /** Announces a pending change at once, and stops. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#scheduled) this.#announce();
  }

  #announce(): void {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    this.#lastAt = performance.now();
    this.#announcedAgents = 0;
    const agents = [...this.#agents.values()];
    const tenants = new Map(
      agents.flatMap(({ principal, visibility }) =>
        principal.tenant ? [[principal.tenant, visibility] as const] : [],
      ),
    );
    if (tenants.size === 0) return this.#emitGraph(agents);
    // The widest view comes last, so that the newest event that a principal sees is complete for it.
    this.#emitGraph(agents.filter(({ principal }) => principal.tenant === undefined));
    for (const [tenant, visibility] of tenants)
      this.#emitGraph(
        agents.filter(({ principal }) => principal.tenant === undefined || principal.tenant === tenant),
        visibility,
      );
    this.#emitGraph(agents, OWNER_ONLY);
  }

  #emitGraph(agents: readonly AgentDefinition[], visibility?: LastingVisibility): void {
    this.#announcedAgents += agents.length;
    const parts = partsOf(topologyOf(agents.map(declared)));
    for (const [part, topology] of parts.entries()) {
      this.#emit({
        type: "graph_updated",
        ...topology,
        ...(parts.length > 1 ? { part, parts: parts.length } : {}),
        ...(visibility ? { visibility } : {}),
      });
    }
  }
}

/** Splits a graph into parts of at most {@link PART_CHARACTERS} of JSON. Edges grow with the square of the agents. */
function partsOf({ nodes, edges }: Topology): Topology[] {
  const parts: Topology[] = [{ nodes: [], edges: [] }];
  let characters = 0;
  const roomFor = (item: object): Topology => {
    const size = JSON.stringify(item).length;
    if (characters > 0 && characters + size > PART_CHARACTERS) {
      parts.push({ nodes: [], edges: [] });
      characters = 0;
    }
    characters += size;
    return parts.at(-1) as Topology;
  };
  for (const node of nodes) roomFor(node).nodes.push(node);
  for (const edge of edges) roomFor(edge).edges.push(edge);
  return parts;
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
