import type { GraphSnapshot } from "@flock-ts/protocol";
import { begunAt, withOlder } from "../timeline/join.ts";
import { KEPT_EVENTS, type Timeline } from "../timeline/timeline.ts";
import { type LogSource, readOlder } from "./event-pages.ts";

/** The parts of a session that a backfill uses. */
export interface BackfillDeps {
  readonly source: LogSource;
  /** Reads the server's counters; undefined when that fails. */
  readonly graph: () => Promise<GraphSnapshot | undefined>;
  /** Whether the result is still wanted. */
  readonly isWanted: () => boolean;
}

/** The outcome: a longer timeline, or the seq from which on the given timeline is complete. */
export type Backfilled = { readonly timeline: Timeline } | { readonly reachesFrom: number };

/**
 * Loads the events before those of a timeline, up to the number that a tab keeps. The given timeline may grow
 * meanwhile.
 *
 * @returns undefined when the result is no longer wanted.
 * @throws Error as `readOlder` does.
 */
export async function backfill(
  newer: Timeline,
  { source, graph, isWanted }: BackfillDeps,
): Promise<Backfilled | undefined> {
  let from = newer.from;
  let found = 0;
  const older = async function* () {
    for await (const page of readOlder(source, newer.from, KEPT_EVENTS - newer.log().length)) {
      from = page.from;
      found += page.events.length;
      if (!isWanted()) return;
      yield page.events;
    }
  };
  let joined = await withOlder(older(), newer);
  if (!isWanted()) return undefined;
  if (found === 0) return { reachesFrom: from };
  // It evicts large events.
  if (joined.forgotten > 0) from = joined.from;
  if (joined.first > 1) {
    const counted = await graph();
    joined.append(newer.log().slice(newer.log().indexOf(joined.last) + 1));
    if (counted) joined = await begunAt(joined.baseFor(counted), joined, newer);
  }
  joined.reaches(from);
  return isWanted() ? { timeline: joined } : undefined;
}
