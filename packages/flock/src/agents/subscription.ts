import { type AgentPrincipal, maySee } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { checkLength } from "../core/errors.ts";
import { booleanOf, keyOf } from "../core/predicate.ts";
import { batchOf, type Inputs, inputsOf } from "./inputs.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";

/**
 * Default of `maxWaiting`. The gate's own memory is about 8 MiB then, or 50 MiB when all keys differ, plus the
 * artifacts.
 */
const DEFAULT_MAX_WAITING = 100_000;
/** The longest join key, in characters: events about the gate contain it. */
const MAX_KEY = 1_000;

type Predicate = (artifact: StoredArtifact) => unknown;
type GroupPredicate = (inputs: Inputs, artifacts: readonly StoredArtifact[]) => unknown;

/** When a batch is complete. */
interface Batch {
  readonly size: number;
  /** In milliseconds; `Infinity` waits until the batch is full. */
  readonly timeout: number;
}

/** Returns what a gate collects, as text: types and counts, then how they are joined and whether they are batched. */
export function identityOf(types: readonly AnyArtifactType[], { join, batch }: SubscriptionOptions): string {
  const counts = new Map<string, number>();
  for (const { typeName } of types) counts.set(typeName, (counts.get(typeName) ?? 0) + 1);
  const required = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, n]) => (n > 1 ? `${n} × ${type}` : type));
  const by = join?.by === undefined ? "" : join.by === "correlation" ? ", by correlation" : ", by key";
  return `${required.join(" + ")}${by}${batch ? ", batched" : ""}`;
}

/** One `consumes` of an agent: the types and numbers of artifacts that trigger it. */
export class Subscription {
  /** The agent's name. */
  readonly agentId: string;
  /** The principal that determines what the agent may see. */
  readonly principal: AgentPrincipal;
  /** Index among the agent's subscriptions, for events and clients. */
  readonly gate: string;
  /** What the gate collects, such as `2 × Order + Payment, by key`. The store finds the gate by it after a deploy. */
  readonly identity: string;
  /** The types of its artifacts, by name. */
  readonly types: ReadonlyMap<string, AnyArtifactType>;
  /** Number of artifacts of each type in a group. */
  readonly requires: ReadonlyMap<string, number>;
  /** Number of artifacts in a group. */
  readonly groupSize: number;
  /** Whether one artifact is enough, so that no gate is needed. */
  readonly isSingle: boolean;
  readonly tags: readonly string[];
  readonly preventSelfTrigger: boolean;
  readonly join: "correlation" | "key" | null;
  /** Maximum distance (exclusive) between the artifacts of a group, in milliseconds; `Infinity` means no limit. */
  readonly withinMs: number;
  /** Number of consecutive gate artifacts that must contain the group; `Infinity` means no limit. */
  readonly withinArtifacts: number;
  readonly batch: Batch | undefined;
  readonly maxWaiting: number;
  readonly #where: Predicate | undefined;
  readonly #whereGroup: GroupPredicate | undefined;
  readonly #key: ((artifact: StoredArtifact) => unknown) | undefined;
  /** Its types whose payloads are decoded for the agent's functions, by name; undefined: none. */
  readonly #encoded: ReadonlyMap<string, AnyArtifactType> | undefined;

  constructor(
    principal: AgentPrincipal,
    gate: string,
    identity: string,
    types: readonly AnyArtifactType[],
    options: SubscriptionOptions,
    preventSelfTrigger: boolean,
  ) {
    this.agentId = principal.name;
    this.principal = principal;
    this.gate = gate;
    const requires = new Map<string, number>();
    for (const { typeName } of types) requires.set(typeName, (requires.get(typeName) ?? 0) + 1);
    const encoded = types.filter(({ isEncoded }) => isEncoded);
    this.#encoded = encoded.length > 0 ? new Map(encoded.map((type) => [type.typeName, type])) : undefined;
    this.requires = requires;
    this.identity = identity;
    this.types = new Map(types.map((type) => [type.typeName, type]));
    const { where, whereGroup, tags, join, batch, maxWaiting } = options;
    this.groupSize = types.length;
    this.isSingle = types.length === 1 && !batch && !whereGroup;
    this.tags = tags ?? [];
    this.preventSelfTrigger = preventSelfTrigger;
    this.#where = where as Predicate | undefined;
    this.#whereGroup = whereGroup as GroupPredicate | undefined;
    const { by, within } = join ?? {};
    this.join = by === undefined ? null : by === "correlation" ? "correlation" : "key";
    this.#key = typeof by === "function" ? (by as (artifact: StoredArtifact) => unknown) : undefined;
    this.withinMs = typeof within === "number" ? within : Number.POSITIVE_INFINITY;
    this.withinArtifacts = typeof within === "object" ? within.artifacts : Number.POSITIVE_INFINITY;
    this.maxWaiting = maxWaiting ?? DEFAULT_MAX_WAITING;
    this.batch = batch && {
      size: batch.size ?? this.maxWaiting,
      timeout: batch.timeout ?? Number.POSITIVE_INFINITY,
    };
  }

  get isFiltered(): boolean {
    return this.#where !== undefined || this.#whereGroup !== undefined;
  }

  /** Returns whether the agent may see an artifact. */
  sees({ visibility }: StoredArtifact): boolean {
    return maySee(this.principal, visibility);
  }

  /** Returns whether an artifact of a subscribed type is accepted. Throws what the predicate throws. */
  accepts(artifact: StoredArtifact): boolean {
    if (!this.sees(artifact)) return false;
    if (this.preventSelfTrigger && artifact.producedBy === this.agentId) return false;
    for (const tag of this.tags) if (!artifact.tags.includes(tag)) return false;
    if (!this.#where) return true;
    const result = this.#where(this.#decoded(artifact));
    return typeof result === "boolean" ? result : booleanOf(this.#option("where"), result);
  }

  /** Returns whether a group is accepted. Throws what the predicate throws. */
  acceptsGroup(artifacts: readonly StoredArtifact[]): boolean {
    if (!this.#whereGroup) return true;
    const decoded = this.#allDecoded(artifacts);
    return booleanOf(this.#option("whereGroup"), this.#whereGroup(inputsOf(decoded), decoded));
  }

  /**
   * Returns the key of the gate's pool for an artifact; undefined when the gate has one pool. Throws what the function
   * throws, and FlockError `invalid_request` for a key of more than 1,000 characters.
   */
  keyOf(artifact: StoredArtifact): string | undefined {
    if (this.join === "correlation") return artifact.correlationId;
    if (!this.#key) return undefined;
    const result = this.#key(this.#decoded(artifact));
    const key = typeof result === "string" ? result : keyOf(this.#option("join.by"), result);
    checkLength("key of `join.by`", key, MAX_KEY);
    return key;
  }

  /** Returns whether these artifacts, in any order, fit one run: one group, or one to `size` groups with a batch. */
  isFilledBy(artifacts: readonly StoredArtifact[]): boolean {
    return this.canTake(artifacts) && artifacts.length <= this.groupSize * (this.batch?.size ?? 1);
  }

  /** Like `isFilledBy`, without the limit: accepts a batch that was assembled with another `size`. */
  canTake(artifacts: readonly StoredArtifact[]): boolean {
    const groups = artifacts.length / this.groupSize;
    if (this.batch ? !Number.isInteger(groups) || groups < 1 : groups !== 1) return false;
    const left = new Map([...this.requires].map(([type, required]) => [type, required * groups]));
    for (const { type } of artifacts) left.set(type, (left.get(type) ?? 0) - 1);
    return [...left.values()].every((required) => required === 0);
  }

  /** Returns the inputs of the agent's function for a complete set of artifacts. */
  inputsOf(artifacts: readonly StoredArtifact[]): Inputs {
    const decoded = this.#allDecoded(artifacts);
    return this.batch ? batchOf(decoded, this.requires) : inputsOf(decoded);
  }

  #option(name: string): string {
    return `\`${name}\` of agent \`${this.agentId}\``;
  }

  #allDecoded(artifacts: readonly StoredArtifact[]): readonly StoredArtifact[] {
    return this.#encoded ? artifacts.map((artifact) => this.#decoded(artifact)) : artifacts;
  }

  /** Returns an artifact as the agent's functions receive it. */
  #decoded(artifact: StoredArtifact): StoredArtifact {
    const type = this.#encoded?.get(artifact.type);
    return type ? { ...artifact, payload: type.decode(artifact.payload) } : artifact;
  }
}
