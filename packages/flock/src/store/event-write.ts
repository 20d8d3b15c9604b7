import type { EventDraft, FlockEvent } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { EventWrite } from "./writes.ts";

/** The artifact that an event announces. */
export interface ArtifactToWrite {
  readonly artifact: StoredArtifact;
  /** The payload as JSON. */
  readonly json: string;
  /** Whether the event carries the payload. */
  readonly inline: boolean;
  readonly idempotencyKey?: string | undefined;
}

/** Returns the write of an event. `timestamp` is when it happened, as ISO 8601. */
export function eventWrite(draft: EventDraft, timestamp: string, announced?: ArtifactToWrite): EventWrite {
  const { type, ...fields } = draft;
  return writeOf({ type, seq: 0, timestamp, ...fields } as FlockEvent, announced);
}

/** Returns the write of an event that is complete except for its `seq`, without a copy. */
export function writeOf(event: FlockEvent, announced?: ArtifactToWrite): EventWrite {
  if (!announced) return { kind: "event", event };
  const { artifact, json, inline, idempotencyKey } = announced;
  return {
    kind: "event",
    event,
    artifact,
    artifactJson: json,
    payloadJson: inline ? json : undefined,
    idempotencyKey,
  };
}
