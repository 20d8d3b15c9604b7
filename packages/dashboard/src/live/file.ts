import type { FlockEvent, GraphSnapshot } from "@flock/protocol";
import { graphOf } from "@flock/protocol";
import { Timeline } from "./timeline.ts";

/** The first line of a file of events: which they are, and what the agents had done before them. */
export interface FileHead {
  readonly type: "flock_events";
  readonly version: 1;
  readonly epoch: string | null;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly graph: GraphSnapshot;
}

/** Events of a range as a file: one JSON a line, the events as they go over the wire. */
export function fileOf(timeline: Timeline, from: number, to: number, epoch: string | null): string {
  const log = timeline.log(to);
  const events = log.slice(log.indexOf(from - 1) + 1);
  const graph = graphOf(timeline.at(from - 1));
  const head: FileHead = { type: "flock_events", version: 1, epoch, from_seq: from, to_seq: to, graph };
  return `${[head, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/**
 * Reads such a file. One without the first line is read as well: a log that somebody has kept by other means.
 * @throws Error that names the line that is no event.
 */
export function timelineOf(text: string): Timeline {
  const events: FlockEvent[] = [];
  let head: FileHead | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parsed(line, index + 1);
    if (value.type === "flock_events") head = value as unknown as FileHead;
    else if (typeof value.seq === "number" && typeof value.type === "string") events.push(value as FlockEvent);
    else throw new Error(`line ${index + 1} is not an event: it has no seq or no type`);
  }
  if (events.length === 0) throw new Error("there is no event in this file: each line must be the JSON of one");
  events.sort((a, b) => a.seq - b.seq);
  const timeline = new Timeline({ kept: Number.POSITIVE_INFINITY });
  if (head && head.graph.nodes.length > 0) timeline.startFrom(head.graph, (events[0] as FlockEvent).seq - 1);
  timeline.append(events);
  return timeline;
}

function parsed(line: string, number: number): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON: is this a file of events, one a line?`);
  }
}
