import { type EventOf, PUBLIC, settleVisibility, type VisibilityRequest } from "@flock-ts/protocol";
import type { Span } from "@opentelemetry/api";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { timestamp } from "../../core/time.ts";
import { writeOf } from "../../store/event-write.ts";
import type { EventWrite } from "../../store/store.ts";
import type { Activation } from "../runs/activation.ts";

/** Where an artifact comes from. */
export interface Origin {
  readonly producedBy: string;
  readonly runId?: string;
  readonly correlationId: string;
  readonly tags: readonly string[];
  readonly visibility: VisibilityRequest;
  readonly idempotencyKey?: string | undefined;
}

/** An artifact on its way to the blackboard, and what it sets in motion. */
export interface Publication {
  readonly artifact: StoredArtifact;
  /** Of the artifact with its event. */
  readonly write: EventWrite;
  activations: readonly Activation[];
  /** Tells of this publish, when it is traced. */
  span?: Span | undefined;
}

/** What most artifacts set in motion. */
export const NO_ACTIVATIONS: readonly Activation[] = [];

/**
 * Makes an artifact of a draft at a time in milliseconds. A payload of more than `maxInlineBytes` as JSON stays out of
 * the event.
 * @throws FlockError `invalid_payload` when the payload is not JSON.
 */
export function publicationOf(draft: Draft, origin: Origin, now: number, maxInlineBytes: number): Publication {
  const payloadJson = encodePayload(draft);
  // A UTF-16 code unit takes three bytes at most: what is short enough need not be measured.
  const bytes = payloadJson.length * 3 <= maxInlineBytes ? 0 : Buffer.byteLength(payloadJson);
  const isLarge = bytes > maxInlineBytes;
  const id = newId();
  const { producedBy, runId, correlationId, tags, idempotencyKey } = origin;
  const visibility = origin.visibility === PUBLIC ? PUBLIC : settleVisibility(origin.visibility, now);
  const createdAt = timestamp(now);
  const { type, payload } = draft;
  // Two literals, as an object that is given a field more needs a second place in memory for it.
  const artifact: StoredArtifact =
    runId === undefined
      ? { id, type, payload, producedBy, correlationId, tags, visibility, createdAt, seq: 0 }
      : { id, type, payload, producedBy, runId, correlationId, tags, visibility, createdAt, seq: 0 };
  // What is undefined has its place here, so that all have one shape, and none in the JSON.
  const event: EventOf<"artifact_published"> = {
    type: "artifact_published",
    seq: 0,
    timestamp: createdAt,
    artifact_id: id,
    artifact_type: type,
    produced_by: producedBy,
    run_id: runId,
    correlation_id: correlationId,
    tags: tags as string[],
    visibility,
    payload_bytes: isLarge ? bytes : undefined,
  };
  const write = writeOf(event, { artifact, json: payloadJson, inline: !isLarge, idempotencyKey });
  return { artifact, write, activations: NO_ACTIVATIONS, span: undefined };
}

/**
 * Announces an artifact anew, whose time has come, to all who may see it from now on (milliseconds). The artifact that
 * it gives has the visibility of this event.
 */
export function revealOf(hidden: StoredArtifact, now: number, maxInlineBytes: number): Publication {
  const visibility = hidden.visibility.kind === "after" ? hidden.visibility.then : hidden.visibility;
  const { id, type, producedBy, runId, correlationId, tags } = hidden;
  const payloadJson = JSON.stringify(hidden.payload);
  const bytes = Buffer.byteLength(payloadJson);
  const event: EventOf<"artifact_published"> = {
    type: "artifact_published",
    seq: 0,
    timestamp: timestamp(now),
    artifact_id: id,
    artifact_type: type,
    produced_by: producedBy,
    run_id: runId,
    correlation_id: correlationId,
    tags: [...tags],
    visibility,
    revealed: true,
    payload_bytes: bytes > maxInlineBytes ? bytes : undefined,
  };
  const write: EventWrite = {
    kind: "event",
    event,
    payloadJson: bytes > maxInlineBytes ? undefined : payloadJson,
    reveals: hidden,
  };
  return { artifact: { ...hidden, visibility }, write, activations: NO_ACTIVATIONS };
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
