import {
  type AgentCounters,
  type AgentState,
  type EventVisibility,
  emptyState,
  type FlockEvent,
  type FlockState,
  LiveState,
  maySee,
  type Principal,
  type RunState,
  type Visibility,
} from "@flock-ts/protocol";
import { ByVisibility, isRestricted } from "../blackboard/by-visibility.ts";

/** Limits of the fold: `/graph` needs no runs, artifacts or streams, which viewers fold themselves. */
const GRAPH_ONLY = { runs: 0, artifacts: 0, gates: 0, streamCharacters: 0 };

/** A state in JSON form. */
export interface SavedState extends Pick<FlockState, "nodes" | "edges"> {
  readonly agents: [string, AgentState][];
  readonly runs: [string, RunState][];
  /** The latest graph per visibility. */
  readonly graphs?: readonly SeenGraph[];
  readonly classes?: readonly (Omit<SavedState, "classes" | "graphs"> & {
    readonly visibility?: EventVisibility | undefined;
  })[];
}

/** The latest graph that was sent with one visibility. */
interface SeenGraph extends Pick<FlockState, "nodes" | "edges"> {
  readonly seq: number;
  /** Undefined means public. */
  readonly visibility?: EventVisibility | undefined;
}

/**
 * Folds events into the state of the agents. The owner gets a fold of all events. With the first restricted event, each
 * visibility gets its own partition, and principals get the sum of those they may see.
 */
export class GraphProjection {
  readonly #all = new LiveState(GRAPH_ONLY);
  #partitions: ByVisibility<LiveState> | undefined;
  /** By visibility, as JSON. */
  readonly #graphs = new Map<string, SeenGraph>();

  /** Applies one event. */
  apply(event: FlockEvent): void {
    const { visibility } = event as { readonly visibility?: Visibility | EventVisibility };
    if (event.type === "graph_updated") {
      const { seq, visibility: seenBy } = event;
      const key = JSON.stringify(seenBy ?? null);
      const before = event.part ? this.#graphs.get(key) : undefined;
      const nodes = before ? [...before.nodes, ...event.nodes] : event.nodes;
      const edges = before ? [...before.edges, ...event.edges] : event.edges;
      this.#graphs.set(key, { seq, nodes, edges, visibility: seenBy });
    }
    if (isRestricted(visibility)) this.#partitioned();
    this.#partitions?.of(visibility)?.apply(event);
    // The owner's fold counted the artifact at its publish.
    if (event.type === "artifact_published" && event.revealed) this.#all.pass(event.seq);
    else this.#all.apply(event);
  }

  /** Returns the state that a principal may see. It is only valid until the next `apply`. */
  seenBy(as: Principal): FlockState {
    const all = this.#all.current;
    if (as.kind === "owner" || !this.#partitions) return all;
    const agents = new Map<string, AgentState>();
    for (const { current } of this.#partitions.seenBy(as)) {
      for (const [id, agent] of current.agents) {
        const known = agents.get(id);
        agents.set(id, known ? merged(known, agent) : agent);
      }
    }
    const graphs = [...this.#graphs.values()].filter(({ visibility }) => maySee(as, visibility));
    const { nodes, edges } = graphs.sort((a, b) => b.seq - a.seq)[0] ?? (this.#graphs.size === 0 ? all : emptyState());
    return { ...emptyState(), seq: all.seq, agents, nodes, edges };
  }

  get seq(): number {
    return this.#all.current.seq;
  }

  /** Returns the state in JSON form. */
  save(): SavedState {
    const classes = this.#partitions?.all.map(({ visibility, value }) => ({ visibility, ...saved(value.current) }));
    return { ...saved(this.#all.current), ...(classes ? { classes } : {}), graphs: [...this.#graphs.values()] };
  }

  /** Restores a state that was saved at `seq`. */
  restore(state: SavedState, seq: number): void {
    this.#all.restore(unsaved(state, seq));
    for (const graph of state.graphs ?? []) this.#graphs.set(JSON.stringify(graph.visibility ?? null), graph);
    const restored = state.classes?.map(({ visibility, ...one }) => {
      const value = new LiveState(GRAPH_ONLY);
      value.restore(unsaved(one, seq));
      return { visibility, value };
    });
    if (restored) this.#partitioned().restore(restored);
  }

  #partitioned(): ByVisibility<LiveState> {
    if (!this.#partitions) {
      const publicSoFar = new LiveState(GRAPH_ONLY);
      publicSoFar.restore(this.#all.current);
      this.#partitions = new ByVisibility(publicSoFar, () => new LiveState(GRAPH_ONLY));
    }
    return this.#partitions;
  }
}

function saved({ agents, runs, nodes, edges }: FlockState): SavedState {
  return { agents: [...agents], runs: [...runs], nodes, edges };
}

function unsaved({ agents, runs, nodes, edges }: SavedState, seq: number): Partial<FlockState> {
  return { agents: new Map(agents), runs: new Map(runs), nodes, edges, seq };
}

/** Merges the state of one agent from two partitions. */
function merged(a: AgentState, b: AgentState): AgentState {
  const counters = Object.fromEntries(
    Object.entries(a.counters).map(([name, count]) => [name, count + b.counters[name as keyof AgentCounters]]),
  ) as AgentCounters;
  const [older, newer] = (a.ended_seq ?? 0) < (b.ended_seq ?? 0) ? [a, b] : [b, a];
  const ended = newer.status === "running" ? older : newer;
  const { description, consumes, publishes } = a.description === "" && a.consumes.length === 0 ? b : a;
  return {
    ...newer,
    description,
    consumes,
    publishes,
    counters,
    status: counters.running > 0 ? "running" : ended.status,
    ...(a.paused || b.paused ? { paused: true as const } : {}),
    ...((a.circuit ?? b.circuit) ? { circuit: a.circuit ?? b.circuit } : {}),
  };
}
