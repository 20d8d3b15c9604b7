import type { FlockEvent } from "@flock-ts/protocol";
import type { SealedEvent } from "./store.ts";
import type { EventWrite } from "./writes.ts";

/**
 * Encodes an event with its `seq`. Nothing is copied: `seq` is put in front of the encoded event, and a payload, which
 * is JSON already, at its end. To encode a payload again would be the most expensive step of a commit.
 */
export function seal(write: EventWrite, seq: number): SealedEvent {
  const json = withSeq(write.event, seq);
  const { payloadJson } = write;
  return { write, seq, json: payloadJson === undefined ? json : `${json.slice(0, -1)},"payload":${payloadJson}}` };
}

function withSeq(event: FlockEvent, seq: number): string {
  const json = JSON.stringify(event);
  const start = `{"type":"${event.type}","seq":`;
  // All events of ours begin like this. Another order of fields costs a copy.
  if (!json.startsWith(`${start}0,`)) return JSON.stringify({ ...event, seq });
  return `${start}${seq}${json.slice(start.length + 1)}`;
}
