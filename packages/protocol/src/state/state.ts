import type { EventOf, RunStatus, StepKind, StepStatus, WireError } from "../wire/events.ts";
import type { AgentCounters, AgentStatus, CircuitState, GraphEdge, GraphNode } from "../wire/graph.ts";

/** An agent, as folded from the events. */
export interface AgentState {
  readonly agent_id: string;
  readonly description: string;
  /** Names of the artifact types it consumes. */
  readonly consumes: readonly string[];
  /** Names of the artifact types it publishes. */
  readonly publishes: readonly string[];
  /** `running` while any run is in progress. Otherwise how the newest run ended: `error` for `error` and `timeout`. */
  readonly status: AgentStatus;
  readonly counters: AgentCounters;
  readonly last_error?: WireError;
  /** The `seq` of the newest `agent_execution_completed`. */
  readonly ended_seq?: number;
  /** Absent when the agent is not paused. */
  readonly paused?: true;
  /** How many runs wait for the end of the pause, from the newest `agent_queue_changed`. */
  readonly queued?: number;
  /** Absent while the circuit is closed, and for an agent without a circuit breaker. */
  readonly circuit?: AgentCircuit;
}

/** A circuit that is not closed, from the newest `agent_circuit_changed`. */
export interface AgentCircuit {
  readonly state: Exclude<CircuitState, "closed">;
  /** Consecutive failures that opened the circuit. */
  readonly failures?: number;
  /** ISO 8601: when a trial run may start. Present only while the circuit is open. */
  readonly retry_at?: string;
}

/** The received output of a run. */
export interface StreamState {
  /** The retained text: the whole stream, or its end if {@link StateLimits.streamCharacters} cut the beginning. */
  readonly text: string;
  /** UTF-16 code units of the whole stream so far. */
  readonly length: number;
  readonly complete: boolean;
  readonly output_type: string;
  readonly artifact_type?: string;
  /** True when a chunk is missing, because the viewer subscribed late or there was a gap. */
  readonly broken: boolean;
}

/** A model or tool call within a run. */
export interface StepState {
  /** Index of the step within its run, starting at 0. */
  readonly step: number;
  readonly kind: StepKind;
  /** The model's id, or the tool's name. */
  readonly name: string;
  /** A step that was open when its run ended is `cancelled`. */
  readonly status: "running" | StepStatus;
  /** ISO 8601. */
  readonly started_at: string;
  /** ISO 8601. */
  readonly ended_at?: string;
  /** Milliseconds. Also absent for a step that ended with its run. */
  readonly duration_ms?: number;
  /** What the step used, for example tokens, by name. */
  readonly usage?: Readonly<Record<string, number>>;
  readonly error?: WireError;
}

/** A run, as folded from the events. */
export interface RunState {
  readonly run_id: string;
  readonly agent_id: string;
  readonly correlation_id: string;
  readonly status: "running" | RunStatus;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Shared by all attempts at the same work. */
  readonly activation_id?: string;
  /** Ids of the artifacts it reads. */
  readonly consumed: readonly string[];
  /** Ids of the artifacts it published. */
  readonly produced: readonly string[];
  /** ISO 8601. */
  readonly started_at: string;
  /** ISO 8601. */
  readonly ended_at?: string;
  /** Milliseconds. */
  readonly duration_ms?: number;
  readonly error?: WireError;
  /** What the run used, for example tokens, by name. */
  readonly usage?: Readonly<Record<string, number>>;
  /** ISO 8601: when the next attempt starts. Present only if this one failed and another follows. */
  readonly retry_at?: string;
  readonly stream?: StreamState;
  /** The newest {@link MAX_STEPS} model and tool calls, ordered by `step`. Absent if there were none. */
  readonly steps?: readonly StepState[];
  /** How many older steps were dropped. */
  readonly steps_dropped?: number;
}

/** How many steps of a run a state retains: the newest. */
export const MAX_STEPS = 200;

/** An artifact, as its `artifact_published` event describes it. */
export type ArtifactState = EventOf<"artifact_published">;

/** The contents of a gate, from its newest `gate_progress`. */
export type GateState = EventOf<"gate_progress">;

/**
 * The state that a viewer sees: the fold of all events up to `seq`.
 *
 * Maps iterate in the order of first appearance. They implement `ReadonlyMap` but need not be `Map` instances, so that
 * consecutive states can share structure. Copy one with `new Map(state.runs)` before you send it to a worker.
 */
export interface FlockState {
  readonly seq: number;
  readonly agents: ReadonlyMap<string, AgentState>;
  readonly runs: ReadonlyMap<string, RunState>;
  readonly artifacts: ReadonlyMap<string, ArtifactState>;
  /** Keyed by agent, gate and join key. A gate that is complete or empty is absent. */
  readonly gates: ReadonlyMap<string, GateState>;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * How much a state retains. The oldest entries are evicted in batches, so a collection can exceed its limit by 1/32.
 * A run in progress is never evicted.
 */
export interface StateLimits {
  /** Ended runs. */
  readonly runs: number;
  readonly artifacts: number;
  readonly gates: number;
  /** UTF-16 code units of one run's stream. Up to twice as many are retained, because a cut copies the text. */
  readonly streamCharacters: number;
}

/** Limits that a browser tab can hold comfortably. */
export const VIEWER_LIMITS: StateLimits = { runs: 2_000, artifacts: 10_000, gates: 1_000, streamCharacters: 200_000 };

/** Returns the state before any event. */
export function emptyState(): FlockState {
  return { seq: 0, agents: new Map(), runs: new Map(), artifacts: new Map(), gates: new Map(), nodes: [], edges: [] };
}

/** Returns the counters of an agent that has not run. */
export function noCounters(): AgentCounters {
  return { started: 0, succeeded: 0, failed: 0, running: 0, consumed: 0, published: 0, duration_ms: 0 };
}
