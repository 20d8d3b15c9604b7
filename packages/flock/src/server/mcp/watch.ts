import { setTimeout as pause } from "node:timers/promises";
import type { Filter, Principal } from "@flock-ts/protocol";
import { type EventPage, readEventPage } from "../../delivery/event-page.ts";
import type { EventLog } from "../../log/event-log.ts";

/** What somebody waits for. */
export interface Watch {
  /** A seq; 0: all that is kept; -N: the newest N that match; absent: what happens from now on. */
  readonly since?: number | undefined;
  readonly epoch?: string | undefined;
  readonly filter: Filter;
  readonly limit: number;
  /** How long to wait while there is nothing, in ms. */
  readonly waitMs: number;
}

/** What comes in so short a time after the first event is told with it: fewer questions, and a reader that asks is in no hurry. In ms. */
const GATHER_MS = 20;

/**
 * Waits until there are events that match, or something is missing, or the time is over, and tells the events and where to go on.
 * Whoever watches is a cursor in the log and nothing else: between two calls nothing is kept.
 */
export async function watch(
  log: EventLog,
  { since = log.head, epoch, filter, limit, waitMs }: Watch,
  principal: Principal,
  signal: AbortSignal,
): Promise<EventPage> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  let page = await readEventPage(log, { after: since, epoch, filter, limit }, principal);
  while (page.events.length === 0 && !page.gap && !over.aborted) {
    await grown(log, page.next, over);
    if (!over.aborted) await pause(GATHER_MS, undefined, { signal: over }).catch(() => {});
    page = await readEventPage(log, { after: page.next, filter, limit }, principal);
  }
  return page;
}

/** Resolves when the log has more than this, or it is over. */
function grown(log: EventLog, seq: number, over: AbortSignal): Promise<void> {
  if (log.head > seq || over.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = log.onGrowth(resolve);
  over.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(stop);
}
