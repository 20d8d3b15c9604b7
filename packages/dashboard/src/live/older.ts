import type { FlockEvent } from "@flock/protocol";
import { type DashboardConfig, eventsUrl, getJson } from "./config.ts";
import { Timeline } from "./timeline.ts";

/** Events of one page; the server gives no more. */
const PAGE = 1_000;
/** Events that are folded in one go, so that the page stays quick. */
const SLICE = 3_000;

interface Page {
  readonly events: readonly FlockEvent[];
  readonly next: number;
  readonly oldest: number;
  readonly epoch: string;
}

/**
 * Reads what comes before a seq from the server, page by page, oldest first.
 *
 * @param count how many events at most.
 * @returns them, and from which seq on they are all that there is; null when the server has another log by now.
 */
export async function readOlder(
  config: DashboardConfig,
  before: number,
  count: number,
  epoch: string | null,
): Promise<{ readonly events: readonly FlockEvent[]; readonly from: number } | null> {
  const events: FlockEvent[] = [];
  let after = Math.max(0, before - 1 - count);
  let from = after + 1;
  while (after < before - 1) {
    const page = await getJson<Page>(eventsUrl(config, { after, limit: PAGE }));
    if (page.epoch !== epoch) return null;
    from = Math.max(from, page.oldest);
    for (const event of page.events) if (event.seq < before) events.push(event);
    if (page.next <= after) break;
    after = page.next;
  }
  return { events, from: Math.min(from, before) };
}

/** A timeline with older events before those that it has, made in pieces between which the page is painted. */
export async function withOlder(older: readonly FlockEvent[], newer: Timeline): Promise<Timeline> {
  const joined = new Timeline();
  for (let index = 0; index < older.length; index += SLICE) {
    joined.append(older.slice(index, index + SLICE));
    await pause();
  }
  // What has come in the meantime comes along: the newer one goes on growing.
  for (let seq = joined.last; seq < newer.last; ) {
    const log = newer.log();
    const from = log.indexOf(seq) + 1;
    const slice = log.slice(from, from + SLICE);
    if (slice.length === 0) break;
    joined.append(slice);
    seq = joined.last;
    if (log.length - from > SLICE) await pause();
  }
  for (const mark of newer.marks) joined.mark(mark);
  return joined;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
