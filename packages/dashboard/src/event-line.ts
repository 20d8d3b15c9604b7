import type { FlockEvent } from "@flock/protocol";

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

/** Whether an event is of a type (`""`: any) and contains a text, whatever its letters' case. */
export function eventMatches(event: FlockEvent, type: string, text: string): boolean {
  if (type !== "" && event.type !== type) return false;
  return text === "" || `${event.type} ${lineOf(event)}`.toLowerCase().includes(text.toLowerCase());
}
