import type { FlockState } from "@flock-ts/protocol";
import type { DashboardConfig } from "../connection/config.ts";
import { idleGraph } from "../timeline/baseline.ts";
import { KEPT_TEXT, Timeline } from "../timeline/timeline.ts";
import { readOlder } from "./event-pages.ts";

/** Seqs that are loaded on either side of one that lies before what the tab keeps. */
export const AROUND = 10_000;

/**
 * A stretch of the log before what the tab keeps. It begins with the agents that there are, who have done nothing yet: what
 * they had done before it, nobody here knows.
 */
export interface Past {
  readonly timeline: Timeline;
  /** Its seqs, both included. All events between them are there that the server has for this viewer. */
  readonly from: number;
  readonly to: number;
}

/** Where to read it, and what is known of the log. */
interface Source {
  readonly config: DashboardConfig;
  readonly epoch: string | null;
  /** The oldest seq that the server keeps. */
  readonly oldest: number;
  /** From here on the tab has everything. */
  readonly until: number;
  /** The state after everything that the tab knows. */
  readonly head: FlockState;
}

/**
 * Reads the log around a seq, piece by piece: what is given after each piece has all up to its `to`.
 *
 * @throws Error when the server has another log by now, or cannot be asked.
 */
export async function* readPast(seq: number, { config, epoch, oldest, until, head }: Source): AsyncGenerator<Past> {
  const end = Math.min(seq + AROUND, until - 1);
  const begin = Math.max(oldest, seq - AROUND);
  const timeline = new Timeline({ kept: Number.POSITIVE_INFINITY });
  timeline.startFrom(idleGraph(head), begin - 1);
  for await (const { events, from, to } of readOlder(config, end + 1, end + 1 - begin, epoch)) {
    timeline.append(events);
    yield { timeline, from: Math.max(from, timeline.from), to };
    // Where events are that large, fewer of them: the timeline shall not let go of what somebody looks at.
    if (to >= seq && timeline.weight > KEPT_TEXT / 2) return;
  }
}
