import type { FlockEvent, Visibility } from "@flock/protocol";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { Consumption, StoredArtifact } from "../blackboard/stored-artifact.ts";

/** An event on its way into the log. */
export interface EventWrite {
  readonly kind: "event";
  /** The event; its `seq` is 0 until the commit gives it one. A payload is not in here but in `payloadJson`. */
  readonly event: FlockEvent;
  /** JSON of the artifact's payload, when the event carries one: encoded once, for the store and for the wire. */
  readonly payloadJson?: string;
  /** The artifact that this event announces. It is stored in the same commit and gets the same `seq`. */
  readonly artifact?: StoredArtifact;
  /** The event as it goes over the wire; empty until the commit. */
  json: string;
}

/** A run is queued: written with the artifacts that caused it, so that no crash can come between. */
export interface ActivationWrite {
  readonly kind: "activation";
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  readonly artifactIds: readonly string[];
}

/** A run has ended: it need not run again. */
export interface ActivationDoneWrite {
  readonly kind: "activation_done";
  readonly runId: string;
}

/** A run has consumed artifacts. */
export interface ConsumptionWrite extends Consumption {
  readonly kind: "consumption";
  readonly artifactIds: readonly string[];
}

/** Anything that the runtime does to the world. */
export type Write = EventWrite | ActivationWrite | ActivationDoneWrite | ConsumptionWrite;

/** Which artifacts a query wants. Every part that is given must hold. */
export interface ArtifactQuery {
  /** Names of artifact types, any of them. */
  readonly types?: readonly string[] | undefined;
  /** Names of producers, any of them. */
  readonly producedBy?: readonly string[] | undefined;
  readonly correlationId?: string | undefined;
  /** Tags, all of them. */
  readonly tags?: readonly string[] | undefined;
  /** Kinds of visibility, any of them. */
  readonly visibility?: readonly Visibility["kind"][] | undefined;
  /** Created at this time or later. */
  readonly start?: Date | undefined;
  /** Created before this time. */
  readonly end?: Date | undefined;
  /** How many at most; default 50. */
  readonly limit?: number | undefined;
  /** How many to pass over; default 0. */
  readonly offset?: number | undefined;
  /** `nextCursor` of the page before; instead of `offset`. */
  readonly cursor?: string | undefined;
}

/** One page of artifacts, newest first. */
export interface ArtifactQueryResult {
  readonly artifacts: readonly StoredArtifact[];
  /** How many match, over all pages. */
  readonly total: number;
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** What may be asked of the blackboard by anyone. */
export interface ReadableStore {
  /** Payloads of all artifacts of a type, oldest first. */
  getByType<T extends AnyArtifactType>(type: T): Promise<PayloadOf<T>[]>;
  /** One artifact, or undefined. */
  get(id: string): Promise<StoredArtifact | undefined>;
  /**
   * Artifacts by type, producer, correlation, tags and time, newest first.
   * @throws FlockError `invalid_request` when the cursor is not one of ours.
   */
  query(query?: ArtifactQuery): Promise<ArtifactQueryResult>;
  /** Who consumed these artifacts, by artifact id. */
  consumptionsOf(artifactIds: readonly string[]): Promise<Map<string, Consumption[]>>;
}

/** Where the blackboard lives. */
export interface Store extends ReadableStore {
  /** Which log this is: another epoch is another log. */
  readonly epoch: string;
  /**
   * Makes writes permanent, all or none, in order; gives each event its `seq` and its `json` (see `seal`).
   * Called by the journal alone, never while another commit runs.
   */
  commit(writes: readonly Write[]): void | Promise<void>;
  /** Lets go of files and connections. */
  close(): void | Promise<void>;
}
