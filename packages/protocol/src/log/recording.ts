import type { ControlOf } from "../wire/control.ts";
import type { FlockEvent } from "../wire/events.ts";
import type { GraphSnapshot } from "../wire/graph.ts";

/** The first line of a recording: the range of the events, and the state of the agents before it. */
export interface RecordingHead {
  readonly type: "flock_events";
  readonly version: 1;
  /** The log that each `seq` refers to, if known. */
  readonly epoch: string | null;
  /** The first `seq` of the range. */
  readonly from_seq: number;
  /** The last `seq` of the range. */
  readonly to_seq: number;
  /** The flow graph before the first event. */
  readonly graph: GraphSnapshot;
  /** Number of events of the range that were hidden from the recording principal. Absent for one that sees everything. */
  readonly hidden?: number;
  /** Parts of the range that were no longer retained. */
  readonly gaps?: readonly ControlOf<"gap">[];
  /** A description of the events in the recording, if it contains only some of the range. */
  readonly narrowed?: string;
}

/** A range of events in a file. */
export interface RecordingFile {
  /** Undefined for a file without a first line of this format. */
  readonly head: RecordingHead | undefined;
  /** In ascending order of `seq`. */
  readonly events: readonly FlockEvent[];
}

/** Returns a recording as text: one JSON document per line, first the head, then the events as on the wire. */
export function formatRecording(head: Omit<RecordingHead, "type" | "version">, events: Iterable<FlockEvent>): string {
  const first: RecordingHead = { type: "flock_events", version: 1, ...head };
  return `${[first, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/**
 * Parses a recording. The first line is optional, so that it also reads a log that another program wrote.
 *
 * @throws Error with the number of the invalid line, or if there is no event.
 */
export function parseRecording(text: string): RecordingFile {
  const events: FlockEvent[] = [];
  let head: RecordingHead | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parsed(line, index + 1);
    if (value?.type === "flock_events") head = value as unknown as RecordingHead;
    else if (typeof value?.seq === "number" && typeof value.type === "string") events.push(value as FlockEvent);
    else
      throw new Error(
        `line ${index + 1} is not an event: it has no \`seq\` or no \`type\`. Use a recording of Flock events.`,
      );
  }
  if (events.length === 0)
    throw new Error("there is no event in this file. A recording has one event per line, as JSON.");
  events.sort((a, b) => a.seq - b.seq);
  return { head, events };
}

function parsed(line: string, number: number): Record<string, unknown> | null {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON. A recording has one event per line, as JSON.`);
  }
}
