import type { EventOf, Visibility } from "@flock/protocol";
import type { Draft } from "../blackboard/artifact-type.ts";
import { newId } from "../blackboard/new-id.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import { FlockError } from "../errors.ts";
import { writeOf } from "../store/event-write.ts";
import type { EventWrite } from "../store/store.ts";
import type { Activation } from "./activation.ts";

/** Where an artifact comes from. */
export interface Origin {
  readonly producedBy: string;
  readonly runId?: string;
  readonly correlationId: string;
  readonly tags: readonly string[];
  readonly visibility: Visibility;
  readonly idempotencyKey?: string | undefined;
}

/** An artifact on its way to the blackboard, and what it sets in motion. */
export interface Posting {
  readonly artifact: StoredArtifact;
  /** Of the artifact with its event. */
  readonly write: EventWrite;
  readonly activations: Activation[];
}

/**
 * Makes an artifact of a draft. `createdAt`: ISO 8601. A payload of more than `maxInlineBytes` as JSON stays out of
 * the event.
 * @throws FlockError `invalid_payload` when the payload is not JSON.
 */
export function postingOf(draft: Draft, origin: Origin, createdAt: string, maxInlineBytes: number): Posting {
  const payloadJson = encodePayload(draft);
  // A UTF-16 code unit takes three bytes at most: what is short enough need not be measured.
  const bytes = payloadJson.length * 3 <= maxInlineBytes ? 0 : Buffer.byteLength(payloadJson);
  const isLarge = bytes > maxInlineBytes;
  const id = newId();
  const { producedBy, runId, correlationId, tags, visibility, idempotencyKey } = origin;
  const artifact: StoredArtifact & { runId?: string } = {
    id,
    type: draft.type,
    payload: draft.payload,
    producedBy,
    correlationId,
    tags,
    visibility,
    createdAt,
    seq: 0,
  };
  if (runId !== undefined) artifact.runId = runId;
  // What is undefined has its place here, so that all have one shape, and none in the JSON.
  const event: EventOf<"artifact_published"> = {
    type: "artifact_published",
    seq: 0,
    timestamp: createdAt,
    artifact_id: id,
    artifact_type: draft.type,
    produced_by: producedBy,
    run_id: runId,
    correlation_id: correlationId,
    tags: tags as string[],
    visibility,
    payload_bytes: isLarge ? bytes : undefined,
  };
  const write = writeOf(event, { artifact, json: payloadJson, inline: !isLarge, idempotencyKey });
  return { artifact, write, activations: [] };
}

function encodePayload(draft: Draft): string {
  let json: string | undefined;
  let reason = "it is undefined";
  try {
    json = JSON.stringify(draft.payload);
  } catch (error) {
    reason = error instanceof Error ? (error.message.split("\n")[0] as string) : String(error);
  }
  if (json !== undefined) return json;
  throw new FlockError(
    "invalid_payload",
    `${draft.type} cannot be published, because its payload is not JSON: ${reason}`,
  );
}
