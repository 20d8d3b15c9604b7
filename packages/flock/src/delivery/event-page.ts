import { setImmediate as macrotask } from "node:timers/promises";
import type { ControlOf, Filter, Principal } from "@flock-ts/protocol";
import type { EventLog } from "../log/event-log.ts";
import { textsOf } from "../log/frame.ts";
import { scopeOf } from "../log/scope.ts";
import { seqOf } from "../log/seq-of.ts";
import { beginningOf } from "./start.ts";

/** Selects a page of the log. */
export interface EventPageQuery {
  /** The page begins after this seq. 0 begins with the oldest event kept, -N with the newest N that match. */
  readonly after: number;
  readonly limit: number;
  /** The log that `after` belongs to. Default: the current one. */
  readonly epoch?: string | undefined;
  readonly filter: Filter;
}

/** A page of the log. */
export interface EventPage {
  /** The JSON of each event, as the log stores it: an event is not parsed on its way to a client. */
  readonly events: readonly string[];
  /** `after` of the next page. Equal to `head` on the last page. */
  readonly next: number;
  readonly head: number;
  readonly oldest: number;
  readonly epoch: string;
  /** The events missing before the first one: no longer kept, or of another log. */
  readonly gap?: ControlOf<"gap">;
}

const READ_BYTES = 64 * 1024;
/** A page ends early when its events exceed this many characters of JSON. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Reads a page of the events that a principal may see, for clients that poll. */
export async function readEventPage(log: EventLog, query: EventPageQuery, principal: Principal): Promise<EventPage> {
  const { after, limit, epoch, filter } = query;
  const { head } = log;
  const scope = scopeOf(filter, principal);
  const { cursor, gap } = await beginningOf({ since: after, epoch }, log, head, scope);
  const events: string[] = [];
  let next = cursor;
  let characters = 0;
  for (let isFirst = true; next < head && events.length < limit && characters < MAX_CHARACTERS; isFirst = false) {
    // An awaited value continues as a microtask: without this, all reads would block the event loop in one go.
    if (!isFirst) await macrotask();
    // The events after `next` may have been dropped in the meantime. The next page reports the gap.
    if (next + 1 < log.oldest) break;
    const batch = await log.read(next, head, scope, READ_BYTES);
    next = batch.seq;
    for (const json of textsOf(batch.frames)) {
      events.push(json);
      characters += json.length;
      if (events.length < limit) continue;
      // The rest of the batch belongs to the next page.
      next = seqOf(json);
      break;
    }
  }
  return { events, next, head, oldest: log.oldest, epoch: log.epoch, ...(gap ? { gap } : {}) };
}

/** Returns the JSON of a page, with the events inserted as they are stored. */
export function pageJson({ events, ...rest }: EventPage): string {
  return `{"events":[${events.join(",")}],${JSON.stringify(rest).slice(1)}`;
}
