import { setTimeout as pause } from "node:timers/promises";
import type { Filter, Principal } from "@flock-ts/protocol";
import { type EventPage, readEventPage } from "../../delivery/event-page.ts";
import type { EventLog } from "../../log/event-log.ts";

/** The options of {@link watch}. */
export interface Watch {
  /** Begins after this seq. 0: all events kept; -N: the newest N that match; absent: only new events. */
  readonly since?: number | undefined;
  readonly epoch?: string | undefined;
  readonly filter: Filter;
  readonly limit: number;
  /** How long to wait if no event matches, in ms. */
  readonly waitMs: number;
}

/** How long to collect further events after the first one, in ms: fewer calls, for clients that poll anyway. */
const GATHER_MS = 20;

/**
 * Waits until events match, a gap occurs or the time is over, and returns the page. The client keeps the cursor: the server
 * has no state between two calls.
 */
export async function watch(
  log: EventLog,
  { since = log.head, epoch, filter, limit, waitMs }: Watch,
  principal: Principal,
  signal: AbortSignal,
): Promise<EventPage> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  let page = await readEventPage(log, { after: since, epoch, filter, limit }, principal);
  while (page.events.length === 0 && !page.gap && !ended.aborted) {
    await whenGrown(log, page.next, ended);
    if (!ended.aborted) await pause(GATHER_MS, undefined, { signal: ended }).catch(() => {});
    page = await readEventPage(log, { after: page.next, filter, limit }, principal);
  }
  return page;
}

/** Resolves when the log has events after `seq`, or `ended` aborts. */
function whenGrown(log: EventLog, seq: number, ended: AbortSignal): Promise<void> {
  if (log.head > seq || ended.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = log.onGrowth(resolve);
  ended.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(stop);
}
