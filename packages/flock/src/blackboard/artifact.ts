import type { EventVisibility, Visibility } from "@flock-ts/protocol";

/** An artifact on the blackboard. It never changes, but for who may see it, once, when its time comes. */
export interface StoredArtifact<Name extends string = string, Payload = unknown> {
  readonly id: string;
  readonly type: Name;
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
  /** Of its `artifact_published` event; 0 until it is committed. */
  readonly seq: number;
}

/** That a run has consumed an artifact. */
export interface Consumption {
  readonly agentId: string;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly consumedAt: string;
  /** Who may see that; absent: everybody. */
  readonly visibility?: EventVisibility | undefined;
}
