import type { AnyArtifactType, ArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";

/** An artifact of one of these types, as a predicate sees it. */
export type ArtifactOf<T extends AnyArtifactType> =
  T extends ArtifactType<infer Name, infer _> ? StoredArtifact<Name, PayloadOf<T>> : never;

/** How artifacts of one AND gate must belong together. */
export interface JoinOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** `correlation`: all from the same workflow. A function: all with the same key. */
  readonly by: "correlation" | ((artifact: ArtifactOf<T>) => string);
}

/** What else decides whether an artifact counts. */
export interface SubscriptionOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** Only artifacts for which this holds. One that throws is logged, and does not hold. */
  readonly where?: (artifact: ArtifactOf<T>) => boolean;
  /** Only artifacts that carry all of these tags. */
  readonly tags?: readonly string[];
  /** For an AND gate: gather separately for each workflow or key. Without it artifacts of any workflow fill the gate. */
  readonly join?: JoinOptions<T>;
}

/** One `consumes` of an agent: how many artifacts of which types wake it. */
export class Subscription {
  /** The agent's name. */
  readonly agentId: string;
  /** Its place among the agent's subscriptions. */
  readonly gate: string;
  /** How many artifacts of each type. */
  readonly requires: ReadonlyMap<string, number>;
  /** Whether a single artifact is enough. */
  readonly isSingle: boolean;
  readonly tags: readonly string[];
  readonly preventSelfTrigger: boolean;
  readonly join: "correlation" | "key" | null;
  readonly #where: ((artifact: StoredArtifact) => boolean) | undefined;
  readonly #key: ((artifact: StoredArtifact) => string) | undefined;

  constructor(
    agentId: string,
    gate: string,
    types: readonly AnyArtifactType[],
    options: SubscriptionOptions,
    preventSelfTrigger: boolean,
  ) {
    this.agentId = agentId;
    this.gate = gate;
    const requires = new Map<string, number>();
    for (const { typeName } of types) requires.set(typeName, (requires.get(typeName) ?? 0) + 1);
    this.requires = requires;
    this.isSingle = types.length === 1;
    this.tags = options.tags ?? [];
    this.preventSelfTrigger = preventSelfTrigger;
    this.#where = options.where as ((artifact: StoredArtifact) => boolean) | undefined;
    const by = options.join?.by;
    this.join = by === undefined ? null : by === "correlation" ? "correlation" : "key";
    this.#key = typeof by === "function" ? (by as (artifact: StoredArtifact) => string) : undefined;
  }

  get isFiltered(): boolean {
    return this.#where !== undefined;
  }

  /** Whether an artifact of a type that this subscription names counts. Throws what the predicate throws. */
  accepts(artifact: StoredArtifact): boolean {
    if (this.preventSelfTrigger && artifact.producedBy === this.agentId) return false;
    for (const tag of this.tags) if (!artifact.tags.includes(tag)) return false;
    return this.#where ? this.#where(artifact) === true : true;
  }

  /** Which pool of the gate an artifact belongs to; undefined when the gate has but one. Throws what the function throws. */
  keyOf(artifact: StoredArtifact): string | undefined {
    if (this.join === "correlation") return artifact.correlationId;
    return this.#key ? String(this.#key(artifact)) : undefined;
  }
}
