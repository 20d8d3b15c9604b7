import type { FlockState } from "@flock-ts/protocol";
import { idleGraph } from "../timeline/baseline.ts";
import { KEPT_TEXT, Timeline } from "../timeline/timeline.ts";
import { type LogSource, readOlder } from "./event-pages.ts";

/** The number of seqs to load on either side of the one shown. */
const AROUND = 10_000;

/**
 * A range of the log before the events that the tab keeps. It starts with today's agents, all idle, because earlier
 * activity is not known here.
 */
export interface LogWindow {
  readonly timeline: Timeline;
  /** Its seqs, both included. It has all events between them that the server has for this viewer. */
  readonly from: number;
  readonly to: number;
}

/** The log from which a window is read. */
export interface Surroundings {
  /** The oldest seq that the server keeps. */
  readonly oldest: number;
  /** The seq from which on the tab has every event. */
  readonly until: number;
  /** The state after all events of the tab. */
  readonly head: FlockState;
}

/**
 * Reads the log around a seq, page by page. Each result has all events up to its `to`.
 *
 * @throws Error when the server has started a new log, or a request fails.
 */
export async function* readWindow(
  source: LogSource,
  seq: number,
  { oldest, until, head }: Surroundings,
): AsyncGenerator<LogWindow> {
  const end = Math.min(seq + AROUND, until - 1);
  const begin = Math.max(oldest, seq - AROUND);
  const timeline = new Timeline({ kept: Number.POSITIVE_INFINITY });
  timeline.startFrom(idleGraph(head), begin - 1);
  for await (const { events, from, to } of readOlder(source, end + 1, end + 1 - begin)) {
    timeline.append(events);
    yield { timeline, from: Math.max(from, timeline.from), to };
    // Stops early where events are large. The timeline must not evict what is shown.
    if (to >= seq && timeline.weight > KEPT_TEXT / 2) return;
  }
}
