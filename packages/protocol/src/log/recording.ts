import type { ControlOf } from "../wire/control.ts";
import type { FlockEvent } from "../wire/events.ts";
import type { GraphSnapshot } from "../wire/graph.ts";

/** The first line of a file of events: which they are, and what the agents had done before them. */
export interface EventFileHead {
  readonly type: "flock_events";
  readonly version: 1;
  readonly epoch: string | null;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly graph: GraphSnapshot;
  /** How many events of this range were hidden from whoever saved it; absent when that was somebody who sees everything. */
  readonly hidden?: number;
  /** What was missing in this range: it was no longer kept. */
  readonly gaps?: readonly ControlOf<"gap">[];
  /** In words, when only some events of this range are in the file: which. */
  readonly narrowed?: string;
}

/** A range of events that somebody has kept. */
export interface EventFile {
  /** Undefined for a log that somebody has kept by other means. */
  readonly head: EventFileHead | undefined;
  /** In the order of their `seq`. */
  readonly events: readonly FlockEvent[];
}

/** Events as a file: one JSON a line, the events as they go over the wire. */
export function writeEventFile(head: Omit<EventFileHead, "type" | "version">, events: Iterable<FlockEvent>): string {
  const first: EventFileHead = { type: "flock_events", version: 1, ...head };
  return `${[first, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/**
 * Reads such a file. One without the first line is read as well: a log that somebody has kept by other means.
 * @throws Error that names the line that is no event.
 */
export function readEventFile(text: string): EventFile {
  const events: FlockEvent[] = [];
  let head: EventFileHead | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parsed(line, index + 1);
    if (value?.type === "flock_events") head = value as unknown as EventFileHead;
    else if (typeof value?.seq === "number" && typeof value.type === "string") events.push(value as FlockEvent);
    else throw new Error(`line ${index + 1} is not an event: it has no seq or no type`);
  }
  if (events.length === 0) throw new Error("there is no event in this file: each line must be the JSON of one");
  events.sort((a, b) => a.seq - b.seq);
  return { head, events };
}

function parsed(line: string, number: number): Record<string, unknown> | null {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON: is this a file of events, one a line?`);
  }
}
