import type { EventType, FlockEvent } from "@flock/protocol";

/**
 * The event types to choose from, in the order in which a reader meets them. Written out, because the protocol derives
 * its list from schemas whose library would be half of what a first visit loads; a missing type does not compile.
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
  agent_paused: true,
  agent_resumed: true,
  agent_queue_changed: true,
};

export const EVENT_TYPE_CHOICES = Object.keys(CHOICES) as EventType[];

/** Longer than any screen is wide. */
const LONGEST = 400;

/** An event is written out once, however often the list is filtered and painted. */
const lines = new WeakMap<FlockEvent, string>();

/** An event in one line, without its type and time. */
export function lineOf(event: FlockEvent): string {
  let line = lines.get(event);
  if (line === undefined) lines.set(event, (line = write(event)));
  return line;
}

function write(event: FlockEvent): string {
  const { type: _type, seq: _seq, timestamp: _timestamp, ...rest } = event;
  if (event.type === "streaming_output") return `${event.agent_id} ${JSON.stringify(event.content)}`;
  if (event.type === "graph_updated") return `${event.nodes.length} nodes, ${event.edges.length} edges`;
  return Object.entries(rest)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ")
    .slice(0, LONGEST);
}

/** Whether an event contains a text, whatever its letters' case. */
export function textMatches(event: FlockEvent, text: string): boolean {
  return text === "" || `${event.type} ${lineOf(event)}`.toLowerCase().includes(text.toLowerCase());
}
