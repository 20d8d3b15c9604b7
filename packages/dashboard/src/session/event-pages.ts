import type { FlockEvent } from "@flock-ts/protocol";
import type { DashboardConfig } from "../connection/config.ts";
import type { RestClient } from "../connection/rest.ts";

/** Events of one page; the server's limit. */
const PAGE = 1_000;

/** Pages that are requested while an earlier one is processed. */
const AHEAD = 3;

/** A log to read pages of. */
export interface LogSource {
  readonly rest: RestClient;
  readonly config: DashboardConfig;
  /** The epoch that the pages must have. */
  readonly epoch: string | null;
}

/** Some of the events before a seq. */
export interface OlderEvents {
  readonly events: readonly FlockEvent[];
  /** From this seq up to `to`, these events and those of earlier pages are all that the server has for this viewer. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the events before a seq, page by page, oldest first.
 *
 * @param count the largest number of events to read.
 * @throws Error when the server has started a new log, or a request fails.
 */
export async function* readOlder(source: LogSource, before: number, count: number): AsyncGenerator<OlderEvents> {
  const asked: Promise<{ readonly events: FlockEvent[]; readonly oldest: number; readonly end: number }>[] = [];
  let next = Math.max(0, before - 1 - count);
  let from = next + 1;
  const ask = () => {
    while (asked.length < AHEAD && next < before - 1) {
      const end = Math.min(next + PAGE, before - 1);
      const page = readBetween(source, next, end);
      // Prevents an unhandled rejection when the reader has stopped.
      page.catch(() => {});
      asked.push(page);
      next = end;
    }
  };
  ask();
  for (let page = asked.shift(); page; page = asked.shift()) {
    const { events, oldest, end } = await page;
    from = Math.min(Math.max(from, oldest), before);
    // The server has nothing before its oldest event.
    next = Math.max(next, oldest - 1);
    ask();
    yield { events, from, to: end };
  }
}

/** Reads the events after a seq and up to another. */
async function readBetween({ rest, config, epoch }: LogSource, after: number, end: number) {
  const events: FlockEvent[] = [];
  let oldest = 0;
  while (after < end) {
    const page = await rest.readEvents(config, { after, limit: end - after });
    if (page.epoch !== epoch) throw new Error("the server has started a new log");
    for (const event of page.events) if (event.seq <= end) events.push(event);
    oldest = Math.max(oldest, page.oldest);
    if (page.next <= after) break;
    after = page.next;
  }
  return { events, oldest, end };
}
