import type { EventVisibility, Visibility } from "@flock-ts/protocol";
import type { AnyArtifactType } from "./artifact-type.ts";
import { isFrozenJson } from "./json.ts";

/** An artifact on the blackboard. It is immutable, except that a scheduled publish changes its visibility once. */
export interface StoredArtifact<Name extends string = string, Payload = unknown> {
  readonly id: string;
  readonly type: Name;
  /** Frozen. Unless its type is named, as JSON represents it: `decode` of the artifact type returns what code uses. */
  readonly payload: Payload;
  /** The agent's name, or `external`. */
  readonly producedBy: string;
  /** The run that published it; absent for `external`. */
  readonly runId?: string;
  readonly correlationId: string;
  readonly tags: readonly string[];
  readonly visibility: Visibility;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /**
   * Number of runs in the chain that led to it: 0 for an artifact from outside, otherwise the depth of its run. Absent
   * means 0.
   */
  readonly depth?: number;
  /** The `seq` of its `artifact_published` event; 0 until committed. */
  readonly seq: number;
}

/** Records that a run consumed an artifact. */
export interface Consumption {
  readonly agentId: string;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly consumedAt: string;
  /** Visibility of this record; undefined means public. */
  readonly visibility?: EventVisibility | undefined;
}

/**
 * Returns an artifact that was read from a store, with the payload that its type has today: validated, upgraded if
 * necessary, and frozen.
 * @throws FlockError `invalid_payload` when the payload fits neither today's schema nor `upgrade`.
 */
export function takenUp(artifact: StoredArtifact, type: AnyArtifactType): StoredArtifact {
  if (isFrozenJson(artifact.payload)) return artifact;
  return Object.freeze({ ...artifact, payload: type.takeUp(artifact.payload).stored });
}
