import { type FlockEvent, graphOf, readEventFile, writeEventFile } from "@flock/protocol";
import { Timeline } from "./timeline.ts";

/** Events of a range as a file: one JSON a line, the events as they go over the wire. */
export function fileOf(timeline: Timeline, from: number, to: number, epoch: string | null): string {
  const log = timeline.log(to);
  const events = log.slice(log.indexOf(from - 1) + 1);
  return writeEventFile({ epoch, from_seq: from, to_seq: to, graph: graphOf(timeline.at(from - 1)) }, events);
}

/**
 * Reads such a file. One without the first line is read as well: a log that somebody has kept by other means.
 * @throws Error that names the line that is no event.
 */
export function timelineOf(text: string): Timeline {
  const { head, events } = readEventFile(text);
  const timeline = new Timeline({ kept: Number.POSITIVE_INFINITY });
  if (head && head.graph.nodes.length > 0) timeline.startFrom(head.graph, (events[0] as FlockEvent).seq - 1);
  timeline.append(events);
  return timeline;
}
