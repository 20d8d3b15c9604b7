import type { VisibilityRequest } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Triggered } from "../../store/store.ts";
import type { RunEnd } from "../runs/run-end.ts";
/** Options of a publish. */
export interface PublishOptions {
  /** Tags that subscriptions and filters can select. Default: none. */
  readonly tags?: readonly string[];
  /** Workflow of the artifact. Default: a new one. */
  readonly correlationId?: string;
  /** Visibility of the artifact. Default: public. */
  readonly visibility?: VisibilityRequest;
  /**
   * A second publish with the same key is skipped and returns the first result. With another payload or type it is
   * refused (`idempotency_conflict`). Default: none.
   */
  readonly idempotencyKey?: string;
}

/** Result of publishing an artifact. */
export interface Published {
  readonly artifactId: string;
  readonly correlationId: string;
  /** Agents whose gate this artifact completed. */
  readonly triggeredAgents: readonly string[];
  /** The same agents with the visibility of their runs. */
  readonly triggered: readonly Triggered[];
  /** The `seq` of its `artifact_published` event. */
  readonly seq: number;
  readonly artifact: StoredArtifact;
}

/** Result of invoking an agent. */
export interface Invoked {
  readonly runId: string;
  readonly correlationId: string;
  /** Events after this `seq` belong to the run or came later. */
  readonly seq: number;
  /** Resolves when the run has ended, with any status. Never rejects. */
  readonly done: Promise<RunEnd>;
}

/** Options of the inputs of an invoked agent. */
export interface InvokeOptions {
  /** Workflow of the inputs. Default: a new one. */
  readonly correlationId?: string | undefined;
  /** Visibility of the inputs, which must include the agent. Default: public. */
  readonly visibility?: VisibilityRequest | undefined;
}
