import type { EventOf, FlockEvent, RunStatus, StepKind, StepStatus, WireError } from "../wire/events.ts";
import type { AgentCounters, AgentStatus, CircuitState, GraphEdge, GraphNode, GraphSnapshot } from "../wire/graph.ts";
import { type Entries, PersistentMap } from "./persistent-map.ts";

/** An agent as the events tell it. */
export interface AgentState {
  readonly agent_id: string;
  readonly description: string;
  readonly consumes: readonly string[];
  readonly publishes: readonly string[];
  /** `running` while any run is; else how the newest run ended: `error` for `error` and `timeout`. */
  readonly status: AgentStatus;
  readonly counters: AgentCounters;
  readonly last_error?: WireError;
  /** Of the newest end of a run. */
  readonly ended_seq?: number;
  /** Absent when it is not paused. */
  readonly paused?: true;
  /** While it is paused: how many runs wait until it goes on, as it was last told. */
  readonly queued?: number;
  /** Absent while its circuit is closed, or it has no circuit breaker. */
  readonly circuit?: AgentCircuit;
}

/** A circuit that is not closed, as it was last told. */
export interface AgentCircuit {
  readonly state: Exclude<CircuitState, "closed">;
  /** How many failures in a row have opened it. */
  readonly failures?: number;
  /** ISO 8601: from when on a run may try whether the agent works again; only while it is open. */
  readonly retry_at?: string;
}

/** The output of a run, as far as it was seen. */
export interface StreamState {
  /** The kept text: the whole stream, or its end where the limit cut the beginning. */
  readonly text: string;
  /** UTF-16 code units of the whole stream so far. */
  readonly length: number;
  readonly complete: boolean;
  readonly output_type: string;
  readonly artifact_type?: string;
  /** True when a piece is missing because the viewer came late or there was a gap. */
  readonly broken: boolean;
}

/** A call of a model or a tool within a run. */
export interface StepState {
  /** Which of the run's steps it is, from 0 on. */
  readonly step: number;
  readonly kind: StepKind;
  /** The model's id, or the tool's name. */
  readonly name: string;
  /** One that was open when its run ended was `cancelled` with it. */
  readonly status: "running" | StepStatus;
  /** ISO 8601. */
  readonly started_at: string;
  readonly ended_at?: string;
  /** Absent, too, for one that ended with its run. */
  readonly duration_ms?: number;
  readonly usage?: Readonly<Record<string, number>>;
  readonly error?: WireError;
}

/** A run as the events tell it. */
export interface RunState {
  readonly run_id: string;
  readonly agent_id: string;
  readonly correlation_id: string;
  readonly status: "running" | RunStatus;
  readonly attempt: number;
  /** The same for every attempt at the same work. */
  readonly activation_id?: string;
  readonly consumed: readonly string[];
  readonly produced: readonly string[];
  /** ISO 8601. */
  readonly started_at: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  readonly error?: WireError;
  readonly usage?: Readonly<Record<string, number>>;
  /** When another attempt follows this one, which has failed. */
  readonly retry_at?: string;
  readonly stream?: StreamState;
  /** Its calls of models and tools, in their order; the newest {@link MAX_STEPS}. Absent when it made none. */
  readonly steps?: readonly StepState[];
  /** How many older steps are not kept. */
  readonly steps_dropped?: number;
}

/** So many steps of a run are kept in a state, the newest. */
export const MAX_STEPS = 200;

/** An artifact as the events tell it. */
export type ArtifactState = EventOf<"artifact_published">;

/** What a gate has gathered, as the newest `gate_progress` told it. */
export type GateState = EventOf<"gate_progress">;

/**
 * What a viewer sees: the fold of all events up to `seq`. Maps are in the order of first appearance. Some are no `Map` but
 * can be read as one, so that states share what is the same in them: what shall be sent elsewhere is `new Map(state.runs)`.
 */
export interface FlockState {
  readonly seq: number;
  readonly agents: ReadonlyMap<string, AgentState>;
  readonly runs: ReadonlyMap<string, RunState>;
  readonly artifacts: ReadonlyMap<string, ArtifactState>;
  /** By agent, gate, and join key. A gate that is complete, or empty again, is absent. */
  readonly gates: ReadonlyMap<string, GateState>;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * How much a state keeps. Oldest first out, some at a time: up to a thirty-second more than the limit may be there. A run
 * that still runs is always kept.
 */
export interface StateLimits {
  /** Ended runs. */
  readonly runs: number;
  readonly artifacts: number;
  readonly gates: number;
  /** UTF-16 code units of one run's stream. */
  readonly streamCharacters: number;
}

/** What a browser tab can hold without effort. */
export const VIEWER_LIMITS: StateLimits = { runs: 2_000, artifacts: 10_000, gates: 1_000, streamCharacters: 200_000 };

/** The state before any event. */
export function emptyState(): FlockState {
  return { seq: 0, agents: new Map(), runs: new Map(), artifacts: new Map(), gates: new Map(), nodes: [], edges: [] };
}

/**
 * Folds one event into a state and gives the new one; the given state stays as it is.
 * An event that the state has already seen (`seq` not above the state's) changes nothing.
 */
export function reduce(state: FlockState, event: FlockEvent, limits: StateLimits = VIEWER_LIMITS): FlockState {
  return reduceAll(state, [event], limits);
}

/** Folds events into a state, copying of each collection what they change, once. */
export function reduceAll(
  state: FlockState,
  events: Iterable<FlockEvent>,
  limits: StateLimits = VIEWER_LIMITS,
): FlockState {
  const draft = new CopyOnWrite(state);
  for (const event of events) fold(draft, event, limits);
  return draft.finish();
}

/** The same fold for whoever owns the state alone and folds for ever: changes it in place. */
export class LiveState {
  #draft = new Owned();
  readonly #limits: StateLimits;

  constructor(limits: StateLimits = VIEWER_LIMITS) {
    this.#limits = limits;
  }

  /** Folds one event in. */
  apply(event: FlockEvent): void {
    fold(this.#draft, event, this.#limits);
  }

  /** Counts the event of this `seq` as seen, which changes nothing. */
  pass(seq: number): void {
    this.#draft.seq = Math.max(this.#draft.seq, seq);
  }

  /** Goes on from a state that was kept. What is absent is empty. */
  restore(state: Partial<FlockState>): void {
    this.#draft = new Owned(state);
  }

  /** The state as it is now. It changes with the next `apply`: read it at once. */
  get current(): FlockState {
    return this.#draft;
  }
}

/** The flow graph of a state with status and counters. */
export function graphOf(state: FlockState): GraphSnapshot {
  const nodes = state.nodes.map((node) => {
    const agent = state.agents.get(node.id);
    return {
      ...node,
      status: agent?.status ?? ("idle" as const),
      counters: agent ? { ...agent.counters } : noCounters(),
      ...(agent?.paused ? { paused: true as const } : {}),
      ...(agent?.circuit ? { circuit: agent.circuit.state } : {}),
    };
  });
  return { nodes, edges: [...state.edges], seq: state.seq };
}

type Collections = { [K in "agents" | "runs" | "artifacts" | "gates"]: Entries<ItemOf<K>> };
type ItemOf<K extends "agents" | "runs" | "artifacts" | "gates"> =
  FlockState[K] extends ReadonlyMap<string, infer V> ? V : never;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type AgentInHand = Omit<Writable<AgentState>, "counters"> & { counters: Writable<AgentCounters> };

/** A state that the fold may change. `write` gives the collection that may be changed, `agent` an agent, known or not. */
interface Draft {
  seq: number;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  readonly agents: ReadonlyMap<string, AgentState>;
  readonly runs: ReadonlyMap<string, RunState>;
  readonly artifacts: ReadonlyMap<string, ArtifactState>;
  readonly gates: ReadonlyMap<string, GateState>;
  write<K extends keyof Collections>(name: K): Collections[K];
  agent(id: string): AgentInHand;
}

class Owned implements Draft {
  seq: number;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  readonly agents: Map<string, AgentInHand>;
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

  write<K extends keyof Collections>(name: K): Collections[K] {
    return this[name] as Collections[K];
  }

  agent(id: string): AgentInHand {
    let agent = this.agents.get(id);
    if (!agent) this.agents.set(id, (agent = unknownAgent(id)));
    return agent;
  }
}

const copied = <V>(map: ReadonlyMap<string, V>): Entries<V> => new Map(map);

/** How each collection is copied: agents and gates are few, and all of them change all the time. */
const COPY: { [K in keyof Collections]: (map: ReadonlyMap<string, ItemOf<K>>) => Collections[K] } = {
  agents: copied,
  runs: PersistentMap.copyOf,
  artifacts: PersistentMap.copyOf,
  gates: copied,
};

class CopyOnWrite implements Draft {
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

  write<K extends keyof Collections>(name: K): Collections[K] {
    if (this[name] === this.#before[name])
      (this as Record<string, unknown>)[name] = COPY[name](this[name] as ReadonlyMap<string, never>);
    return this[name] as unknown as Collections[K];
  }

  agent(id: string): AgentInHand {
    const agents = this.write("agents");
    const known = agents.get(id);
    // The one of the state before stays as it is; one that is another already was made for this one.
    if (known && known !== this.#before.agents.get(id)) return known;
    const agent = known ? copyOf(known) : unknownAgent(id);
    agents.set(id, agent);
    return agent;
  }

  finish(): FlockState {
    const { seq, agents, runs, artifacts, gates, nodes, edges } = this;
    return seq === this.#before.seq ? this.#before : { seq, agents, runs, artifacts, gates, nodes, edges };
  }
}

function fold(draft: Draft, event: FlockEvent, limits: StateLimits): void {
  if (event.seq <= draft.seq) return;
  draft.seq = event.seq;
  switch (event.type) {
    case "agent_registered":
      return agentRegistered(draft, event);
    case "agent_execution_started":
      return runStarted(draft, event);
    case "agent_execution_completed":
      return runCompleted(draft, event, limits);
    case "streaming_output":
      return streamed(draft, event, limits);
    case "run_step_started":
      return stepStarted(draft, event, limits);
    case "run_step_completed":
      return stepCompleted(draft, event, limits);
    case "artifact_published":
      return artifactPublished(draft, event, limits);
    case "gate_progress":
      return gateProgressed(draft, event, limits);
    case "agent_paused":
      draft.agent(event.agent_id).paused = true;
      return;
    case "agent_resumed":
      return agentResumed(draft, event);
    case "agent_queue_changed":
      draft.agent(event.agent_id).queued = event.queued;
      return;
    case "agent_circuit_changed":
      return circuitChanged(draft, event);
    case "graph_updated":
      draft.nodes = event.nodes;
      draft.edges = event.edges;
      return;
    case "question_closed":
    case "dead_letter_closed":
      return;
    default:
      // A newer server may send events that this version does not know: they count, and change nothing else.
      event satisfies never;
  }
}

function agentRegistered(draft: Draft, event: EventOf<"agent_registered">): void {
  const agent = draft.agent(event.agent_id);
  agent.description = event.description;
  agent.consumes = event.consumes;
  agent.publishes = event.publishes;
}

function agentResumed(draft: Draft, { agent_id }: EventOf<"agent_resumed">): void {
  const { paused: _paused, queued: _queued, ...agent } = draft.agent(agent_id);
  draft.write("agents").set(agent_id, agent);
}

function runStarted(draft: Draft, event: EventOf<"agent_execution_started">): void {
  const run: Writable<RunState> = {
    run_id: event.run_id,
    agent_id: event.agent_id,
    correlation_id: event.correlation_id,
    status: "running",
    attempt: event.attempt,
    consumed: event.consumed_artifacts,
    produced: [],
    started_at: event.timestamp,
  };
  if (event.activation_id !== undefined) run.activation_id = event.activation_id;
  draft.write("runs").set(event.run_id, run);
  const agent = draft.agent(event.agent_id);
  agent.status = "running";
  agent.counters.started += 1;
  agent.counters.running += 1;
  agent.counters.consumed += event.consumed_artifacts.length;
}

function runCompleted(draft: Draft, event: EventOf<"agent_execution_completed">, limits: StateLimits): void {
  const runs = draft.write("runs");
  const run = runs.get(event.run_id);
  // Ended runs stand in the order of their end, so that the first one in the map is the first to go.
  runs.delete(event.run_id);
  if (limits.runs > 0) {
    runs.set(event.run_id, endedRun(run, event));
    forgetOldest(runs, limits.runs, (candidate) => candidate.status !== "running");
  }
  const agent = draft.agent(event.agent_id);
  const { counters } = agent;
  if (run) counters.running = Math.max(0, counters.running - 1);
  if (event.status === "success") counters.succeeded += 1;
  else counters.failed += 1;
  counters.duration_ms += event.duration_ms;
  const ended = event.status === "error" || event.status === "timeout" ? "error" : "idle";
  agent.status = counters.running > 0 ? "running" : ended;
  if (event.error) agent.last_error = event.error;
  agent.ended_seq = event.seq;
}

function endedRun(run: RunState | undefined, event: EventOf<"agent_execution_completed">): RunState {
  return {
    ...(run ?? {
      run_id: event.run_id,
      agent_id: event.agent_id,
      correlation_id: event.correlation_id,
      attempt: 1,
      consumed: [],
      started_at: event.timestamp,
      ...(event.activation_id === undefined ? {} : { activation_id: event.activation_id }),
    }),
    status: event.status,
    produced: run?.produced.length
      ? [...new Set([...run.produced, ...event.produced_artifacts])]
      : event.produced_artifacts,
    ended_at: event.timestamp,
    duration_ms: event.duration_ms,
    ...(event.error ? { error: event.error } : {}),
    ...(event.usage ? { usage: event.usage } : {}),
    ...(event.retry_at ? { retry_at: event.retry_at } : {}),
    ...(run?.steps ? { steps: run.steps.map((step) => endedWithRun(step, event.timestamp)) } : {}),
  };
}

/** Nothing of a run goes on after its end, even if nobody could say how a step of it has ended: in a crash, say. */
function endedWithRun(step: StepState, ended_at: string): StepState {
  return step.status === "running" ? { ...step, status: "cancelled", ended_at } : step;
}

function stepStarted(draft: Draft, event: EventOf<"run_step_started">, limits: StateLimits): void {
  const { step, kind, name, timestamp } = event;
  putStep(draft, event.run_id, limits, { step, kind, name, status: "running", started_at: timestamp });
}

function stepCompleted(draft: Draft, event: EventOf<"run_step_completed">, limits: StateLimits): void {
  const { step, kind, name, status, duration_ms, usage, error, timestamp } = event;
  const known = draft.runs.get(event.run_id)?.steps?.find((one) => one.step === step);
  putStep(draft, event.run_id, limits, {
    step,
    kind,
    name,
    status,
    // Who came late has not seen it begin.
    started_at: known?.started_at ?? new Date(Date.parse(timestamp) - duration_ms).toISOString(),
    ended_at: timestamp,
    duration_ms,
    ...(usage ? { usage } : {}),
    ...(error ? { error } : {}),
  });
}

/** Puts a step in its place among the others of its run, unless it is older than all that are kept. */
function putStep(draft: Draft, runId: string, limits: StateLimits, step: StepState): void {
  const run = draft.runs.get(runId);
  if (limits.runs === 0 || run?.status !== "running") return;
  const { steps = [], steps_dropped: dropped = 0 } = run;
  const after = steps.findLastIndex((one) => one.step <= step.step);
  const isKnown = steps[after]?.step === step.step;
  if (after === -1 && dropped > 0) return;
  const all = isKnown ? steps.with(after, step) : steps.toSpliced(after + 1, 0, step);
  const excess = Math.max(0, all.length - MAX_STEPS);
  draft.write("runs").set(runId, {
    ...run,
    steps: excess > 0 ? all.slice(excess) : all,
    ...(dropped + excess > 0 ? { steps_dropped: dropped + excess } : {}),
  });
}

function streamed(draft: Draft, event: EventOf<"streaming_output">, limits: StateLimits): void {
  if (limits.streamCharacters === 0) return;
  const run = draft.runs.get(event.run_id);
  if (!run) return;
  const before = run.stream?.length ?? 0;
  const known = Math.min(event.content.length, Math.max(0, before - event.offset));
  const text = (run.stream?.text ?? "") + event.content.slice(known);
  draft.write("runs").set(event.run_id, {
    ...run,
    stream: {
      // Cut rarely and by half, because a cut copies the text.
      text: text.length > limits.streamCharacters * 2 ? text.slice(-limits.streamCharacters) : text,
      length: Math.max(before, event.offset + event.content.length),
      complete: event.is_complete,
      output_type: event.output_type,
      ...(event.artifact_type ? { artifact_type: event.artifact_type } : {}),
      broken: (run.stream?.broken ?? false) || event.offset > before,
    },
  });
}

function artifactPublished(draft: Draft, event: EventOf<"artifact_published">, limits: StateLimits): void {
  const known = draft.artifacts.get(event.artifact_id);
  if (!known && event.run_id !== undefined) {
    // Here and not at the end of the run, whose event leaves out what not everybody may see who sees it.
    draft.agent(event.produced_by).counters.published += 1;
  }
  if (event.visibility.kind !== "public" && limits.runs > 0) addToRun(draft, event);
  if (limits.artifacts === 0) return;
  const artifacts = draft.write("artifacts");
  // Who has seen it before learns nothing new but who else may see it.
  artifacts.set(event.artifact_id, known && event.revealed ? { ...known, visibility: event.visibility } : event);
  forgetOldest(artifacts, limits.artifacts);
}

/** The end of the run leaves out what not everybody may see who sees that: whoever sees the artifact adds it. */
function addToRun(draft: Draft, { run_id, artifact_id }: EventOf<"artifact_published">): void {
  const run = run_id === undefined ? undefined : draft.runs.get(run_id);
  if (!run || run.produced.includes(artifact_id)) return;
  draft.write("runs").set(run.run_id, { ...run, produced: [...run.produced, artifact_id] });
}

function gateProgressed(draft: Draft, event: EventOf<"gate_progress">, limits: StateLimits): void {
  if (limits.gates === 0) return;
  const gates = draft.write("gates");
  const key = JSON.stringify([event.agent_id, event.gate, event.key ?? null]);
  gates.delete(key);
  const complete = Object.entries(event.required).every(([type, wanted]) => (event.collected[type] ?? 0) >= wanted);
  const isEmpty = Object.values(event.collected).every((collected) => collected === 0);
  if (!complete && !isEmpty) gates.set(key, event);
  forgetOldest(gates, limits.gates);
}

function circuitChanged(draft: Draft, { agent_id, state, failures, retry_at }: EventOf<"agent_circuit_changed">): void {
  const { circuit: before, ...rest } = draft.agent(agent_id);
  const agent: AgentInHand = rest;
  if (state !== "closed") {
    const counted = failures ?? before?.failures;
    agent.circuit = {
      state,
      ...(counted === undefined ? {} : { failures: counted }),
      ...(retry_at === undefined ? {} : { retry_at }),
    };
  }
  draft.write("agents").set(agent_id, agent);
}

function copyOf(agent: AgentState): AgentInHand {
  return { ...agent, counters: { ...agent.counters } };
}

function unknownAgent(agent_id: string): AgentInHand {
  return { agent_id, description: "", consumes: [], publishes: [], status: "idle", counters: noCounters() };
}

/** The counters of an agent that has done nothing. */
export function noCounters(): AgentCounters {
  return { started: 0, succeeded: 0, failed: 0, running: 0, consumed: 0, published: 0, duration_ms: 0 };
}

/**
 * Some at a time: what is taken from a map's front leaves holes there, which whoever takes the next one from there walks
 * over again.
 */
function forgetOldest<V>(map: Entries<V>, limit: number, mayGo: (value: V) => boolean = () => true): void {
  if (map.size <= limit + Math.floor(limit / 32)) return;
  let excess = map.size - limit;
  for (const [key, value] of map) {
    if (excess-- <= 0) return;
    if (mayGo(value)) map.delete(key);
  }
}
