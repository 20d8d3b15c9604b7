import { type EventOf, type EventType, eventSchema, type FlockEvent } from "@flock/protocol";
import type { Flock } from "flock";

/** All events of a type that a flock in memory has had so far, as the wire has them; each is checked against its schema. */
export function eventsOf<T extends EventType>(flock: Flock, type: T): EventOf<T>[] {
  const { frames } = flock.log.tail.read(flock.log.oldest - 1, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  const events: FlockEvent[] = [];
  for (let at = 0; at < frames.length; ) {
    const short = (frames[at + 1] as number) & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126 ? short : short === 126 ? frames.readUInt16BE(at + 2) : Number(frames.readBigUInt64BE(at + 2));
    events.push(eventSchema.parse(JSON.parse(frames.toString("utf8", at + head, at + head + length))));
    at += head + length;
  }
  return events.filter((event): event is EventOf<T> => event.type === type);
}
