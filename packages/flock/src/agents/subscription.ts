import { type AgentPrincipal, maySee } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { batchOf, type Inputs, inputsOf } from "./inputs.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";

/** How many artifacts a gate lets wait when it does not say: beside the artifacts some 8 MiB, or 50 when no two share a key. */
const DEFAULT_MAX_WAITING = 100_000;

type Predicate = (artifact: StoredArtifact) => boolean;
type GroupPredicate = (inputs: Inputs, artifacts: readonly StoredArtifact[]) => boolean;

/** When a batch is enough. */
interface Batch {
  readonly size: number;
  /** In milliseconds; `Infinity` for a batch that waits until it is full. */
  readonly timeout: number;
}

/** One `consumes` of an agent: how many artifacts of which types wake it. */
export class Subscription {
  /** The agent's name. */
  readonly agentId: string;
  /** The agent, as what it may see goes. */
  readonly principal: AgentPrincipal;
  /** Its place among the agent's subscriptions. */
  readonly gate: string;
  /** How many artifacts of each type make a group. */
  readonly requires: ReadonlyMap<string, number>;
  /** How many artifacts make a group. */
  readonly groupSize: number;
  /** Whether one artifact is enough, so that there is no gate to wait at. */
  readonly isSingle: boolean;
  readonly tags: readonly string[];
  readonly preventSelfTrigger: boolean;
  readonly join: "correlation" | "key" | null;
  /** Less than so many milliseconds lie between the artifacts of a group; `Infinity` when time does not matter. */
  readonly withinMs: number;
  /** The artifacts of a group are among so many that the gate takes in; `Infinity` when that does not matter. */
  readonly withinArtifacts: number;
  readonly batch: Batch | undefined;
  readonly maxWaiting: number;
  readonly #where: Predicate | undefined;
  readonly #whereGroup: GroupPredicate | undefined;
  readonly #key: ((artifact: StoredArtifact) => string) | undefined;

  constructor(
    principal: AgentPrincipal,
    gate: string,
    types: readonly AnyArtifactType[],
    options: SubscriptionOptions,
    preventSelfTrigger: boolean,
  ) {
    this.agentId = principal.name;
    this.principal = principal;
    this.gate = gate;
    const requires = new Map<string, number>();
    for (const { typeName } of types) requires.set(typeName, (requires.get(typeName) ?? 0) + 1);
    this.requires = requires;
    const { where, whereGroup, tags, join, batch, maxWaiting } = options;
    this.groupSize = types.length;
    this.isSingle = types.length === 1 && !batch && !whereGroup;
    this.tags = tags ?? [];
    this.preventSelfTrigger = preventSelfTrigger;
    this.#where = where as Predicate | undefined;
    this.#whereGroup = whereGroup as GroupPredicate | undefined;
    const { by, within } = join ?? {};
    this.join = by === undefined ? null : by === "correlation" ? "correlation" : "key";
    this.#key = typeof by === "function" ? (by as (artifact: StoredArtifact) => string) : undefined;
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

  /** Whether the agent may see an artifact. */
  sees({ visibility }: StoredArtifact): boolean {
    return maySee(this.principal, visibility);
  }

  /** Whether an artifact of a type that this subscription names counts. Throws what the predicate throws. */
  accepts(artifact: StoredArtifact): boolean {
    if (!this.sees(artifact)) return false;
    if (this.preventSelfTrigger && artifact.producedBy === this.agentId) return false;
    for (const tag of this.tags) if (!artifact.tags.includes(tag)) return false;
    return this.#where ? this.#where(artifact) === true : true;
  }

  /** Whether a group counts. Throws what the predicate throws. */
  acceptsGroup(artifacts: readonly StoredArtifact[]): boolean {
    return this.#whereGroup ? this.#whereGroup(inputsOf(artifacts), artifacts) === true : true;
  }

  /** Which pool of the gate an artifact belongs to; undefined when the gate has but one. Throws what the function throws. */
  keyOf(artifact: StoredArtifact): string | undefined {
    if (this.join === "correlation") return artifact.correlationId;
    return this.#key ? String(this.#key(artifact)) : undefined;
  }

  /** Whether these artifacts, in whatever order, are what a run takes: one group, or with a batch one to `size` of them. */
  isFilledBy(artifacts: readonly StoredArtifact[]): boolean {
    return this.canTake(artifacts) && artifacts.length <= this.groupSize * (this.batch?.size ?? 1);
  }

  /** The same for a batch that was put together when its size was another. */
  canTake(artifacts: readonly StoredArtifact[]): boolean {
    const groups = artifacts.length / this.groupSize;
    if (this.batch ? !Number.isInteger(groups) || groups < 1 : groups !== 1) return false;
    const left = new Map([...this.requires].map(([type, wanted]) => [type, wanted * groups]));
    for (const { type } of artifacts) left.set(type, (left.get(type) ?? 0) - 1);
    return [...left.values()].every((wanted) => wanted === 0);
  }

  /** What the agent's function receives for artifacts that fill this. */
  inputsOf(artifacts: readonly StoredArtifact[]): Inputs {
    return this.batch ? batchOf(artifacts, this.requires) : inputsOf(artifacts);
  }
}
