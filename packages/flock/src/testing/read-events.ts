import { type FlockEvent, OWNER } from "@flock-ts/protocol";
import { readEventPage } from "../delivery/event-page.ts";
import type { EventLog } from "../log/event-log.ts";

const PAGE_EVENTS = 10_000;

/** Returns the events of a log in order, optionally only those of one workflow. */
export async function readEvents(log: EventLog, correlationId?: string): Promise<FlockEvent[]> {
  const filter = correlationId === undefined ? {} : { correlation_id: correlationId };
  const events: FlockEvent[] = [];
  for (let after = 0; ; ) {
    const page = await readEventPage(log, { after, limit: PAGE_EVENTS, filter }, OWNER);
    for (const json of page.events) events.push(JSON.parse(json));
    if (page.next >= page.head) return events;
    after = page.next;
  }
}
