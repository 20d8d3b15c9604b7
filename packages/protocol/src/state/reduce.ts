import type { FlockEvent } from "../wire/events.ts";
import { agentPaused, agentRegistered, agentResumed, circuitChanged, queueChanged } from "./agents.ts";
import { artifactPublished } from "./artifacts.ts";
import { CopyOnWriteDraft, type Draft, OwnedDraft } from "./draft.ts";
import { gateProgressed } from "./gates.ts";
import { outputStreamed, runCompleted, runStarted, stepCompleted, stepStarted } from "./runs.ts";
import { type FlockState, type StateLimits, VIEWER_LIMITS } from "./state.ts";

/**
 * Folds one event into a state and returns the new state. The given state does not change.
 * An event whose `seq` is not above the state's has been folded before and is ignored.
 *
 * @param limits how much the state retains. Default: {@link VIEWER_LIMITS}.
 * @example
 * let state = emptyState();
 * client.on("event", (event) => (state = reduce(state, event)));
 */
export function reduce(state: FlockState, event: FlockEvent, limits: StateLimits = VIEWER_LIMITS): FlockState {
  return reduceAll(state, [event], limits);
}

/**
 * Folds events into a state and returns the new state. The given state does not change. Each collection is copied at most
 * once per call, so fold a batch with one call.
 *
 * @param events in ascending order of `seq`.
 * @param limits how much the state retains. Default: {@link VIEWER_LIMITS}.
 */
export function reduceAll(
  state: FlockState,
  events: Iterable<FlockEvent>,
  limits: StateLimits = VIEWER_LIMITS,
): FlockState {
  const draft = new CopyOnWriteDraft(state);
  for (const event of events) fold(draft, event, limits);
  return draft.finish();
}

/**
 * The same fold as {@link reduceAll}, in place. Cheaper for an owner that never needs earlier states, such as a server.
 *
 * @example
 * const live = new LiveState();
 * live.apply(event);
 * graphOf(live.current);
 */
export class LiveState {
  #draft = new OwnedDraft();
  readonly #limits: StateLimits;

  /** @param limits how much the state retains. Default: {@link VIEWER_LIMITS}. */
  constructor(limits: StateLimits = VIEWER_LIMITS) {
    this.#limits = limits;
  }

  /** Folds one event into the state. Ignores one whose `seq` is not above the state's. */
  apply(event: FlockEvent): void {
    fold(this.#draft, event, this.#limits);
  }

  /** Advances `seq` without an event, for an event that this state must not contain. */
  pass(seq: number): void {
    this.#draft.seq = Math.max(this.#draft.seq, seq);
  }

  /** Replaces the state by a copy of a saved one. Absent parts become empty. */
  restore(state: Partial<FlockState>): void {
    this.#draft = new OwnedDraft(state);
  }

  /** The current state. The next `apply` changes it, so read it synchronously. */
  get current(): FlockState {
    return this.#draft;
  }
}

/** Dispatches one event to its handler. The compiler rejects this function if an event type has no case. */
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
      return outputStreamed(draft, event, limits);
    case "run_step_started":
      return stepStarted(draft, event, limits);
    case "run_step_completed":
      return stepCompleted(draft, event, limits);
    case "artifact_published":
      return artifactPublished(draft, event, limits);
    case "gate_progress":
      return gateProgressed(draft, event, limits);
    case "agent_paused":
      return agentPaused(draft, event);
    case "agent_resumed":
      return agentResumed(draft, event);
    case "agent_queue_changed":
      return queueChanged(draft, event);
    case "agent_circuit_changed":
      return circuitChanged(draft, event);
    case "graph_updated":
      draft.nodes = event.part ? [...draft.nodes, ...event.nodes] : event.nodes;
      draft.edges = event.part ? [...draft.edges, ...event.edges] : event.edges;
      return;
    case "question_closed":
    case "dead_letter_closed":
      // A viewer loads open questions and dead letters over HTTP.
      return;
    default:
      // A newer server can send event types that this version cannot fold. They only advance `seq`.
      event satisfies never;
  }
}
