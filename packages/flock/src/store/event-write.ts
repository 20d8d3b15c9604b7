import type { EventDraft, FlockEvent } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { EventWrite } from "./store.ts";

/** The artifact that an event announces, as it is written. */
export interface ArtifactToWrite {
  readonly artifact: StoredArtifact;
  /** Its payload as JSON. */
  readonly json: string;
  /** Whether the event carries the payload. */
  readonly inline: boolean;
  readonly idempotencyKey?: string | undefined;
}

/** An event to be written; `timestamp`: when it happened, as ISO 8601. */
export function eventWrite(draft: EventDraft, timestamp: string, announced?: ArtifactToWrite): EventWrite {
  const { type, ...fields } = draft;
  return writeOf({ type, seq: 0, timestamp, ...fields } as FlockEvent, announced);
}

/** The same for an event that is whole but for its `seq`: what every run writes is not copied twice. */
export function writeOf(event: FlockEvent, announced?: ArtifactToWrite): EventWrite {
  if (!announced) return { kind: "event", event, json: "" };
  const { artifact, json, inline, idempotencyKey } = announced;
  return {
    kind: "event",
    event,
    json: "",
    artifact,
    artifactJson: json,
    payloadJson: inline ? json : undefined,
    idempotencyKey,
  };
}

/**
 * Gives an event, and the artifact it announces, their `seq` and encodes the event. A payload is JSON already and is
 * put in as it is: encoding it again would be the most expensive thing on the write path.
 */
export function seal(write: EventWrite, seq: number): void {
  write.event.seq = seq;
  if (write.artifact) (write.artifact as { seq: number }).seq = seq;
  const json = JSON.stringify(write.event);
  write.json = write.payloadJson === undefined ? json : `${json.slice(0, -1)},"payload":${write.payloadJson}}`;
}
