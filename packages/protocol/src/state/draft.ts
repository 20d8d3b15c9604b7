import type { AgentCounters, GraphEdge, GraphNode } from "../wire/graph.ts";
import { PersistentMap, type WritableMap } from "./persistent-map.ts";
import {
  type AgentState,
  type ArtifactState,
  type FlockState,
  type GateState,
  noCounters,
  type RunState,
} from "./state.ts";

/** The collections of a state that handlers write to. */
type CollectionName = "agents" | "runs" | "artifacts" | "gates";
type ItemOf<K extends CollectionName> = FlockState[K] extends ReadonlyMap<string, infer V> ? V : never;
type Collections = { [K in CollectionName]: WritableMap<ItemOf<K>> };

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** An agent that a handler may change. */
export type AgentDraft = Omit<Writable<AgentState>, "counters"> & { counters: Writable<AgentCounters> };

/** A state that event handlers may change. They read the collections directly and change them through the methods. */
export interface Draft {
  seq: number;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  readonly agents: ReadonlyMap<string, AgentState>;
  readonly runs: ReadonlyMap<string, RunState>;
  readonly artifacts: ReadonlyMap<string, ArtifactState>;
  readonly gates: ReadonlyMap<string, GateState>;
  /** Returns a collection that may be changed. */
  write<K extends CollectionName>(name: K): Collections[K];
  /** Returns an agent that may be changed. Adds it if it is unknown. */
  agent(id: string): AgentDraft;
}

/** A draft that owns its state exclusively and changes it in place. */
export class OwnedDraft implements Draft {
  seq: number;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  readonly agents: Map<string, AgentDraft>;
  readonly runs: Map<string, RunState>;
  readonly artifacts: Map<string, ArtifactState>;
  readonly gates: Map<string, GateState>;

  constructor(from: Partial<FlockState> = {}) {
    const { seq = 0, nodes = [], edges = [], agents = [], runs = [], artifacts = [], gates = [] } = from;
    this.seq = seq;
    this.nodes = nodes;
    this.edges = edges;
    this.agents = new Map();
    for (const [id, agent] of agents) this.agents.set(id, copyOf(agent));
    this.runs = new Map(runs);
    this.artifacts = new Map(artifacts);
    this.gates = new Map(gates);
  }

  write<K extends CollectionName>(name: K): Collections[K] {
    return this[name] as Collections[K];
  }

  agent(id: string): AgentDraft {
    let agent = this.agents.get(id);
    if (!agent) this.agents.set(id, (agent = unknownAgent(id)));
    return agent;
  }
}

const copiedMap = <V>(map: ReadonlyMap<string, V>): WritableMap<V> => new Map(map);

/** How each collection is copied. Agents and gates are few and change constantly, so a plain copy is cheaper for them. */
const COPY: { [K in CollectionName]: (map: ReadonlyMap<string, ItemOf<K>>) => Collections[K] } = {
  agents: copiedMap,
  runs: PersistentMap.copyOf,
  artifacts: PersistentMap.copyOf,
  gates: copiedMap,
};

/** A draft that leaves the given state unchanged: it copies each collection and agent on the first write. */
export class CopyOnWriteDraft implements Draft {
  seq: number;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  agents: ReadonlyMap<string, AgentState>;
  runs: ReadonlyMap<string, RunState>;
  artifacts: ReadonlyMap<string, ArtifactState>;
  gates: ReadonlyMap<string, GateState>;
  readonly #before: FlockState;

  constructor(state: FlockState) {
    this.#before = state;
    this.seq = state.seq;
    this.nodes = state.nodes;
    this.edges = state.edges;
    this.agents = state.agents;
    this.runs = state.runs;
    this.artifacts = state.artifacts;
    this.gates = state.gates;
  }

  write<K extends CollectionName>(name: K): Collections[K] {
    if (this[name] === this.#before[name])
      (this as Record<string, unknown>)[name] = COPY[name](this[name] as ReadonlyMap<string, never>);
    return this[name] as unknown as Collections[K];
  }

  agent(id: string): AgentDraft {
    const agents = this.write("agents");
    const known = agents.get(id);
    // An agent that differs from the one in the given state is this draft's own copy already.
    if (known && known !== this.#before.agents.get(id)) return known;
    const agent = known ? copyOf(known) : unknownAgent(id);
    agents.set(id, agent);
    return agent;
  }

  /** Returns the new state, or the given one if no event was applied. */
  finish(): FlockState {
    const { seq, agents, runs, artifacts, gates, nodes, edges } = this;
    return seq === this.#before.seq ? this.#before : { seq, agents, runs, artifacts, gates, nodes, edges };
  }
}

/**
 * Evicts the oldest entries once a map exceeds `limit` by more than 1/32. Eviction runs in batches because each deletion
 * at the front of a map leaves a hole that the next iteration has to skip.
 */
export function evictOldest<V>(map: WritableMap<V>, limit: number, mayEvict: (value: V) => boolean = () => true): void {
  if (map.size <= limit + Math.floor(limit / 32)) return;
  let excess = map.size - limit;
  for (const [key, value] of map) {
    if (excess-- <= 0) return;
    if (mayEvict(value)) map.delete(key);
  }
}

function copyOf(agent: AgentState): AgentDraft {
  return { ...agent, counters: { ...agent.counters } };
}

function unknownAgent(agent_id: string): AgentDraft {
  return { agent_id, description: "", consumes: [], publishes: [], status: "idle", counters: noCounters() };
}
