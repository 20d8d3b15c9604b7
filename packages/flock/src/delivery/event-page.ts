import { setImmediate as macrotask } from "node:timers/promises";
import { type ControlOf, type Filter, type FlockEvent, type Principal } from "@flock-ts/protocol";
import type { EventLog } from "../log/event-log.ts";
import { textsOf } from "../log/frame.ts";
import { scopeOf } from "../log/scope.ts";
import { beginningOf } from "./start.ts";

/** What a page is asked for. */
export interface EventPageQuery {
  /** The page begins after this seq; 0: with all that is kept. */
  readonly after: number;
  readonly limit: number;
  /** Which log `after` belongs to; without it, this one. */
  readonly epoch?: string | undefined;
  readonly filter: Filter;
}

/** A page of the log. */
export interface EventPage {
  readonly events: FlockEvent[];
  /** `after` of the next page. When it is `head`, this was the last one. */
  readonly next: number;
  readonly head: number;
  readonly oldest: number;
  readonly epoch: string;
  /** What is missing before the first event, because it is no longer kept or of another log. */
  readonly gap?: ControlOf<"gap">;
}

const READ_BYTES = 64 * 1024;
/** A page ends early when its events come to more than this, in characters of JSON. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Reads a page of the log, of what a principal may see: the door for clients that can only ask. */
export async function readEventPage(
  log: EventLog,
  query: EventPageQuery,
  principal: Principal,
): Promise<EventPage> {
  const { after, limit, epoch, filter } = query;
  const { head } = log;
  const scope = scopeOf(filter, principal);
  const { cursor, gap } = await beginningOf({ since: after, epoch }, log, head, scope);
  const events: FlockEvent[] = [];
  let next = cursor;
  let characters = 0;
  for (let isFirst = true; next < head && events.length < limit && characters < MAX_CHARACTERS; isFirst = false) {
    // An awaited value continues as a microtask: without this, all reads would be one turn of the event loop.
    if (!isFirst) await macrotask();
    // What it goes on from may have been dropped meanwhile: the next page tells of the gap.
    if (next + 1 < log.oldest) break;
    const batch = await log.read(next, head, scope, READ_BYTES);
    next = batch.seq;
    for (const text of textsOf(batch.frames)) {
      const event = JSON.parse(text) as FlockEvent;
      events.push(event);
      characters += text.length;
      if (events.length < limit) continue;
      // What else was read is for the next page.
      next = event.seq;
      break;
    }
  }
  return { events, next, head, oldest: log.oldest, epoch: log.epoch, ...(gap ? { gap } : {}) };
}
