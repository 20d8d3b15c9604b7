import type { EventDraft, FlockEvent } from "@flock/protocol";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import type { EventWrite } from "./store.ts";
import { timestamp } from "./timestamp.ts";

/** An event to be written, with the time at which it happened. */
export function eventWrite(draft: EventDraft, artifact?: StoredArtifact, payloadJson?: string): EventWrite {
  const { type, ...fields } = draft;
  return {
    kind: "event",
    event: { type, seq: 0, timestamp: timestamp(), ...fields } as FlockEvent,
    json: "",
    ...(artifact ? { artifact } : {}),
    ...(payloadJson === undefined ? {} : { payloadJson }),
  };
}

/**
 * Gives an event its `seq` and encodes it. A payload is JSON already and is put in as it is: encoding it
 * again would be the most expensive thing on the write path.
 */
export function seal(write: EventWrite, seq: number): void {
  write.event.seq = seq;
  const json = JSON.stringify(write.event);
  write.json = write.payloadJson === undefined ? json : `${json.slice(0, -1)},"payload":${write.payloadJson}}`;
}
