import type { VisibilityRequest } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Triggered } from "../../store/store.ts";
import type { RunEnd } from "../runs/run-end.ts";
/** What goes with a published artifact. */
export interface PublishOptions {
  /** Words to select it by. Default: none. */
  readonly tags?: readonly string[];
  /** The workflow it belongs to. Default: a new one. */
  readonly correlationId?: string;
  /** Who may see it. Default: everybody. */
  readonly visibility?: VisibilityRequest;
  /** A second publish with the same key does nothing and gives the first one's result. */
  readonly idempotencyKey?: string;
}

/** What came of publishing an artifact. */
export interface Published {
  readonly artifactId: string;
  readonly correlationId: string;
  /** Agents whose gate this artifact completed. */
  readonly triggeredAgents: readonly string[];
  /** The same agents, each with who may see its run. */
  readonly triggered: readonly Triggered[];
  /** Of its `artifact_published` event. */
  readonly seq: number;
  readonly artifact: StoredArtifact;
}

/** An agent was woken by hand. */
export interface Invoked {
  readonly runId: string;
  readonly correlationId: string;
  /** Events after this one tell of the run. */
  readonly seq: number;
  /** Resolves when the run has ended, however it ended. Never rejects. */
  readonly done: Promise<RunEnd>;
}

/** What goes with inputs that an agent is woken with by hand. */
export interface InvokeOptions {
  /** The workflow they belong to. Default: a new one. */
  readonly correlationId?: string | undefined;
  /** Who may see the inputs; the agent must. Default: everybody. */
  readonly visibility?: VisibilityRequest | undefined;
}
