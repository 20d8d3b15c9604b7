import { type EventOf, PUBLIC, settleVisibility, type VisibilityRequest } from "@flock-ts/protocol";
import type { Span } from "@opentelemetry/api";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { newId } from "../../core/ids.ts";
import { timestamp } from "../../core/time.ts";
import { writeOf } from "../../store/event-write.ts";
import type { EventWrite } from "../../store/store.ts";
import type { Activation } from "../runs/activation.ts";

/** Origin of an artifact. */
export interface Origin {
  readonly producedBy: string;
  readonly runId?: string;
  readonly correlationId: string;
  /** Depth of the publishing run; absent outside runs. */
  readonly depth?: number | undefined;
  readonly tags: readonly string[];
  readonly visibility: VisibilityRequest;
  readonly idempotencyKey?: string | undefined;
}

/** An artifact that is being published, and the activations that it triggers. */
export interface Publication {
  readonly artifact: StoredArtifact;
  /** The write of the artifact and its event. */
  readonly write: EventWrite;
  activations: readonly Activation[];
  /** Span of this publish, when it is traced. */
  span?: Span | undefined;
}

/** Shared empty list, because most artifacts trigger nothing. */
export const NO_ACTIVATIONS: readonly Activation[] = [];

/**
 * Creates an artifact from a draft. A payload of more than `maxInlineBytes` as JSON is left out of the event.
 * @param now current time in milliseconds.
 */
export function publicationOf(draft: Draft, origin: Origin, now: number, maxInlineBytes: number): Publication {
  // Frozen JSON: it cannot fail, and does not change until the commit.
  const payloadJson = JSON.stringify(draft.stored);
  // A UTF-16 code unit takes at most three bytes, so short payloads need no measuring.
  const bytes = payloadJson.length * 3 <= maxInlineBytes ? 0 : Buffer.byteLength(payloadJson);
  const isLarge = bytes > maxInlineBytes;
  const id = newId();
  const { producedBy, runId, correlationId, depth = 0, tags, idempotencyKey } = origin;
  const visibility = origin.visibility === PUBLIC ? PUBLIC : settleVisibility(origin.visibility, now);
  const createdAt = timestamp(now);
  const { type, stored: payload } = draft;
  // Two literals: adding a field to an object later would need a second allocation.
  const artifact: StoredArtifact =
    runId === undefined
      ? { id, type, payload, producedBy, correlationId, tags, visibility, createdAt, depth, seq: 0 }
      : { id, type, payload, producedBy, runId, correlationId, tags, visibility, createdAt, depth, seq: 0 };
  // Undefined fields are listed so that all events have the same shape. JSON omits them.
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
 * Creates the second announcement of a hidden artifact, at the time of its scheduled publish (milliseconds). The
 * returned artifact has the visibility of this event.
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
