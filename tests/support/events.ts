import { type EventOf, type EventType, eventSchema } from "@flock-ts/protocol";
import type { Flock } from "flock-ts";
import { textsOf } from "../../packages/flock/src/log/frame.ts";

/** All events of a type that a flock in memory has had so far, as the wire has them; each is checked against its schema. */
export function eventsOf<T extends EventType>(flock: Flock, type: T): EventOf<T>[] {
  const { frames } = flock.log.buffer.read(flock.log.oldest - 1, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  const events = [...textsOf(frames)].map((text) => eventSchema.parse(JSON.parse(text)));
  return events.filter((event): event is EventOf<T> => event.type === type);
}
