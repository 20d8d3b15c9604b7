import type { Principal, Visibility } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { DeadLetter } from "./work.ts";

/** Selects artifacts. All given conditions must hold. */
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
  /** The most artifacts that a page holds. Default 50. */
  readonly limit?: number | undefined;
  /** How many artifacts to skip. Default 0. */
  readonly offset?: number | undefined;
  /** `nextCursor` of the previous page, instead of `offset`. */
  readonly cursor?: string | undefined;
}

/** One page of artifacts, newest first. */
export interface ArtifactQueryResult {
  readonly artifacts: readonly StoredArtifact[];
  /** How many artifacts match, over all pages. */
  readonly total: number;
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Reads the blackboard of a store. Each call names the principal and returns only what that principal may see. */
export interface BlackboardReader {
  /** Returns all artifacts of a type, oldest first, without their metadata. */
  getByType(typeName: string, as: Principal): Promise<Pick<StoredArtifact, "payload" | "visibility">[]>;
  /** Returns one artifact, or undefined. */
  get(id: string, as: Principal): Promise<StoredArtifact | undefined>;
  /**
   * Returns artifacts by type, producer, correlation, tags and time, newest first.
   * @throws FlockError `invalid_request` when the cursor is not one of this store.
   */
  query(query: ArtifactQuery, as: Principal): Promise<ArtifactQueryResult>;
  /** Returns the consumptions of these artifacts, by artifact id. */
  consumptionsOf(artifactIds: readonly string[], as: Principal): Promise<Map<string, Consumption[]>>;
}

/** The blackboard as one principal sees it. */
export interface ReadableStore {
  /**
   * Returns the payloads of all artifacts of a type, oldest first: validated, decoded, and upgraded if the schema has
   * changed.
   * @throws FlockError `invalid_payload` when one of them fits neither the schema nor its `upgrade`.
   */
  getByType<T extends AnyArtifactType>(type: T): Promise<PayloadOf<T>[]>;
  /** Returns one artifact, or undefined. */
  get(id: string): Promise<StoredArtifact | undefined>;
  /**
   * Returns artifacts by type, producer, correlation, tags and time, newest first.
   * @throws FlockError `invalid_request` when the cursor is not one of this store.
   */
  query(query?: ArtifactQuery): Promise<ArtifactQueryResult>;
  /** Returns the consumptions of these artifacts, by artifact id. */
  consumptionsOf(artifactIds: readonly string[]): Promise<Map<string, Consumption[]>>;
}

/** The blackboard as the owner sees it, with views of it for other principals. */
export interface OwnersStore extends ReadableStore {
  /** Returns the blackboard as a principal sees it. */
  as(principal: Principal): ReadableStore;
}

/** Selects dead letters. All given conditions must hold. */
export interface DeadLetterQuery {
  readonly agentId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** The most dead letters that a page holds. Default 50. */
  readonly limit?: number | undefined;
  /** Continues after the dead letter with this id, the last one of the previous page. */
  readonly after?: string | undefined;
}

/** Reads the dead letters of a store. */
export interface DeadLetterReader {
  /** Returns the dead letters that a principal may see, the newest activation first. */
  list(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]>;
  /** Returns one dead letter; undefined when there is none, or the principal may not see it. */
  get(id: string, as: Principal): Promise<DeadLetter | undefined>;
}
