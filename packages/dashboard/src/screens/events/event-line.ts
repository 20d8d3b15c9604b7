import type { EventOf, EventType, FlockEvent } from "@flock-ts/protocol";
import { preview } from "../../timeline/preview.ts";
import { bytes, clock, duration } from "../../ui/format.ts";
import { gathered } from "../../ui/gate-words.ts";

/**
 * The event types to choose from, in a logical order. Not derived from the protocol's schemas, whose library would be
 * half of the initial load. A missing type does not compile.
 */
const CHOICES: Record<EventType, true> = {
  agent_execution_started: true,
  agent_execution_completed: true,
  streaming_output: true,
  run_step_started: true,
  run_step_completed: true,
  artifact_published: true,
  graph_updated: true,
  agent_registered: true,
  gate_progress: true,
  question_closed: true,
  dead_letter_closed: true,
  agent_paused: true,
  agent_resumed: true,
  agent_queue_changed: true,
  agent_circuit_changed: true,
};

export const EVENT_TYPE_CHOICES = Object.keys(CHOICES) as EventType[];

/** An event as text: the actor, the action and the details, without ids. */
export interface EventLine {
  /** The agent, or `external`; empty for events without an actor. */
  readonly actor: string;
  readonly action: string;
  readonly details: string;
}

/** Returns the type of an artifact by its id, if known. */
export type TypeOf = (artifactId: string) => string | undefined;

/** The text of each event type. */
const SENTENCES: { readonly [T in EventType]: (event: EventOf<T>, typeOf: TypeOf) => EventLine } = {
  agent_execution_started: ({ agent_id, attempt, consumed_artifacts }, typeOf) => ({
    actor: agent_id,
    action: attempt > 1 ? `started, attempt ${attempt}` : "started",
    details: consumed_artifacts.length === 0 ? "" : `with ${typesOf(consumed_artifacts, typeOf)}`,
  }),
  agent_execution_completed: ({ agent_id, status, duration_ms, error, retry_at, produced_artifacts }, typeOf) => ({
    actor: agent_id,
    action: `ended: ${status} ${status === "success" ? "in" : "after"} ${duration(duration_ms)}`,
    details: [
      error ? `${error.name}: ${error.message}` : "",
      produced_artifacts.length > 0 ? `→ ${typesOf(produced_artifacts, typeOf)}` : "",
      retry_at ? `retry at ${clock(retry_at)}` : "",
    ]
      .filter(Boolean)
      .join(", "),
  }),
  // Shows line breaks as escapes, so that the text stays on one line.
  streaming_output: ({ agent_id, content, is_complete }) =>
    content === "" && is_complete
      ? { actor: agent_id, action: "finished its output", details: "" }
      : { actor: agent_id, action: "wrote", details: JSON.stringify(content) },
  run_step_started: ({ agent_id, kind, name }) => ({
    actor: agent_id,
    action: kind === "model" ? "called its model" : "called a tool",
    details: name,
  }),
  run_step_completed: ({ agent_id, kind, name, status, duration_ms, error }) => ({
    actor: agent_id,
    action: `${kind === "model" ? "model" : "tool"} call ended: ${status} ${status === "success" ? "in" : "after"} ${duration(duration_ms)}`,
    details: error ? `${name}, ${error.name}: ${error.message}` : name,
  }),
  artifact_published: ({ produced_by, artifact_type, revealed, payload, payload_bytes }) => ({
    actor: produced_by,
    action: revealed ? `made ${artifact_type} visible as scheduled` : `published ${artifact_type}`,
    details: payload_bytes === undefined ? preview(payload) : bytes(payload_bytes),
  }),
  graph_updated: ({ nodes, edges }) => ({
    actor: "",
    action: "Graph changed",
    details: `${nodes.length} nodes, ${edges.length} edges`,
  }),
  agent_registered: ({ agent_id, consumes, publishes }) => ({
    actor: agent_id,
    action: "registered",
    details: `${consumes.join(", ") || "nothing"} → ${publishes.join(", ") || "nothing"}`,
  }),
  gate_progress: ({ agent_id, dropped, reason, ...gate }) => ({
    actor: agent_id,
    action: dropped === undefined ? "collected" : `dropped ${dropped}, ${reason}`,
    details: gathered(gate),
  }),
  question_closed: ({ agent_id, status, answered_by }) => ({
    actor: agent_id,
    action: "requested human input",
    details: status === "answered" && answered_by !== undefined ? `answered by ${answered_by}` : status,
  }),
  dead_letter_closed: ({ agent_id, status }) => ({
    actor: agent_id,
    action: "dead letter resolved",
    details: status === "retried" ? "retried" : "discarded",
  }),
  agent_paused: ({ agent_id }) => ({ actor: agent_id, action: "paused", details: "" }),
  agent_resumed: ({ agent_id }) => ({ actor: agent_id, action: "resumed", details: "" }),
  agent_queue_changed: ({ agent_id, queued }) => ({
    actor: agent_id,
    action: "is paused",
    details: queued === 1 ? "1 run queued" : `${queued} runs queued`,
  }),
  agent_circuit_changed: ({ agent_id, state, failures, retry_at }) => ({
    actor: agent_id,
    action: state === "open" ? "circuit opened" : state === "half_open" ? "circuit half-open" : "circuit closed",
    details: [
      failures === undefined ? "" : `${failures} ${failures === 1 ? "failure" : "failures"} in a row`,
      retry_at ? `retry at ${clock(retry_at)}` : "",
    ]
      .filter(Boolean)
      .join(", "),
  }),
};

/** Describes an event. `typeOf` resolves the artifacts that it refers to by id. */
export function lineOf(event: FlockEvent, typeOf: TypeOf = unknownType): EventLine {
  const sentence = SENTENCES[event.type] as ((event: FlockEvent, typeOf: TypeOf) => EventLine) | undefined;
  // A newer server may send unknown event types.
  return (
    sentence?.(event, typeOf) ?? { actor: "", action: (event as FlockEvent).type.replaceAll("_", " "), details: "" }
  );
}

const unknownType: TypeOf = () => undefined;

/** Formats artifact types: `Idea`, `2 × Review and Risk`; `3 artifacts` when none of them is known. */
function typesOf(ids: readonly string[], typeOf: TypeOf): string {
  const counts = new Map<string, number>();
  for (const id of ids) {
    const type = typeOf(id) ?? (ids.length === 1 ? "an artifact" : "artifacts");
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts]
    .map(([type, count]) => (count === 1 ? type : type === "artifacts" ? `${count} ${type}` : `${count} × ${type}`))
    .join(" and ");
}

/** The number of characters of an event's fields that a search reads. Large payloads would make it slow. */
const SEARCHED = 400;

/** The searchable text of each event, computed once. */
const texts = new WeakMap<FlockEvent, string>();

/** Whether an event contains a text, ignoring case: in its type, description, ids or other fields. */
export function textMatches(event: FlockEvent, text: string, typeOf: TypeOf = unknownType): boolean {
  if (text === "") return true;
  let searched = texts.get(event);
  if (searched === undefined) texts.set(event, (searched = searchedTextOf(event, typeOf)));
  return searched.includes(text.toLowerCase());
}

function searchedTextOf(event: FlockEvent, typeOf: TypeOf): string {
  const { actor, action, details } = lineOf(event, typeOf);
  const { type, seq: _seq, timestamp: _timestamp, ...fields } = event;
  const fieldText = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return `${type} ${actor} ${action} ${details} ${fieldText.slice(0, SEARCHED)}`.toLowerCase();
}
