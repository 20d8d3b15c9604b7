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

/** What `/graph` tells needs no runs, artifacts or streams; a viewer folds those for itself. */
const GRAPH_ONLY = { runs: 0, artifacts: 0, gates: 0, streamCharacters: 0 };

/** A state as JSON keeps it. */
export interface SavedState extends Pick<FlockState, "nodes" | "edges"> {
  readonly agents: [string, AgentState][];
  readonly runs: [string, RunState][];
  /** By visibility, where not everything is public. */
  /** The graphs that have been told, where not everybody was told the same. */
  readonly graphs?: readonly ToldGraph[];
  readonly classes?: readonly (Omit<SavedState, "classes" | "graphs"> & {
    readonly visibility?: EventVisibility | undefined;
  })[];
}

/** The newest graph that has been told to some. */
interface ToldGraph extends Pick<FlockState, "nodes" | "edges"> {
  readonly seq: number;
  /** Undefined: to everybody. */
  readonly visibility?: EventVisibility | undefined;
}

/**
 * How the agents are doing, to each who asks by the events that it may see: a fold of all events for the owner, and once
 * one is not public, a fold for each kind of visibility, which others are told the sum of.
 */
export class GraphProjection {
  readonly #all = new LiveState(GRAPH_ONLY);
  #classes: ByVisibility<LiveState> | undefined;
  /** By visibility. */
  readonly #graphs = new Map<string, ToldGraph>();

  /** Folds one event in. */
  apply(event: FlockEvent): void {
    const { visibility } = event as { readonly visibility?: Visibility | EventVisibility };
    if (event.type === "graph_updated") {
      const { seq, nodes, edges, visibility: seenBy } = event;
      this.#graphs.set(JSON.stringify(seenBy ?? null), { seq, nodes, edges, visibility: seenBy });
    }
    if (isRestricted(visibility)) this.#apart();
    this.#classes?.of(visibility)?.apply(event);
    // The owner has counted the artifact when it was published.
    if (event.type === "artifact_published" && event.revealed) this.#all.pass(event.seq);
    else this.#all.apply(event);
  }

  /** What a principal may know. It changes with the next `apply`: read it at once. */
  seenBy(as: Principal): FlockState {
    const all = this.#all.current;
    if (as.kind === "owner" || !this.#classes) return all;
    const agents = new Map<string, AgentState>();
    for (const { current } of this.#classes.seenBy(as)) {
      for (const [id, agent] of current.agents) {
        const known = agents.get(id);
        agents.set(id, known ? together(known, agent) : agent);
      }
    }
    const graphs = [...this.#graphs.values()].filter(({ visibility }) => maySee(as, visibility));
    const { nodes, edges } = graphs.sort((a, b) => b.seq - a.seq)[0] ?? (this.#graphs.size === 0 ? all : emptyState());
    return { ...emptyState(), seq: all.seq, agents, nodes, edges };
  }

  get seq(): number {
    return this.#all.current.seq;
  }

  /** All of it, as JSON can keep it. */
  save(): SavedState {
    const classes = this.#classes?.all.map(({ visibility, value }) => ({ visibility, ...saved(value.current) }));
    return { ...saved(this.#all.current), ...(classes ? { classes } : {}), graphs: [...this.#graphs.values()] };
  }

  /** Goes on from a state that was saved at `seq`. */
  restore(state: SavedState, seq: number): void {
    this.#all.restore(unsaved(state, seq));
    for (const graph of state.graphs ?? []) this.#graphs.set(JSON.stringify(graph.visibility ?? null), graph);
    const restored = state.classes?.map(({ visibility, ...one }) => {
      const value = new LiveState(GRAPH_ONLY);
      value.restore(unsaved(one, seq));
      return { visibility, value };
    });
    if (restored) this.#apart().restore(restored);
  }

  #apart(): ByVisibility<LiveState> {
    if (!this.#classes) {
      const publicSoFar = new LiveState(GRAPH_ONLY);
      publicSoFar.restore(this.#all.current);
      this.#classes = new ByVisibility(publicSoFar, () => new LiveState(GRAPH_ONLY));
    }
    return this.#classes;
  }
}

function saved({ agents, runs, nodes, edges }: FlockState): SavedState {
  return { agents: [...agents], runs: [...runs], nodes, edges };
}

function unsaved({ agents, runs, nodes, edges }: SavedState, seq: number): Partial<FlockState> {
  return { agents: new Map(agents), runs: new Map(runs), nodes, edges, seq };
}

/** One agent as the events of two kinds of visibility tell it. */
function together(a: AgentState, b: AgentState): AgentState {
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
