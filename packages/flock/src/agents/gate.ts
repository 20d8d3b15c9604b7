import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import type { Subscription } from "./subscription.ts";

/** What an artifact has done to a gate. */
export interface GateResult {
  /** The artifacts that wake the agent, in the order of arrival; undefined while the gate still waits. */
  readonly artifacts: readonly StoredArtifact[] | undefined;
  /** Which pool the artifact went into; undefined when the gate has but one. */
  readonly key?: string | undefined;
  /** What the gate tells of itself, one after the other; empty for a gate that never waits. */
  readonly progress: readonly GateProgress[];
}

/** How far a gate is. */
export interface GateProgress {
  readonly key: string | undefined;
  readonly collected: Readonly<Record<string, number>>;
}

const NOTHING: readonly GateProgress[] = [];

/** Gathers artifacts until a subscription has what it requires. An artifact is used once, oldest first. */
export class Gate {
  readonly subscription: Subscription;
  readonly #pools = new Map<string | undefined, StoredArtifact[]>();

  constructor(subscription: Subscription) {
    this.subscription = subscription;
  }

  /** Offers an artifact that the subscription accepts. */
  offer(artifact: StoredArtifact): GateResult {
    if (this.subscription.isSingle) return { artifacts: [artifact], key: undefined, progress: NOTHING };
    const key = this.subscription.keyOf(artifact);
    const pool = this.#pools.get(key) ?? [];
    pool.push(artifact);
    const before = this.#count(pool);
    const complete = [...this.subscription.requires].every(([type, wanted]) => (before[type] ?? 0) >= wanted);
    if (!complete) {
      this.#pools.set(key, pool);
      return { artifacts: undefined, key, progress: [{ key, collected: before }] };
    }
    const missing = new Map(this.subscription.requires);
    const artifacts: StoredArtifact[] = [];
    const left: StoredArtifact[] = [];
    for (const candidate of pool) {
      const wanted = missing.get(candidate.type) ?? 0;
      missing.set(candidate.type, wanted - 1);
      (wanted > 0 ? artifacts : left).push(candidate);
    }
    if (left.length > 0) this.#pools.set(key, left);
    else this.#pools.delete(key);
    const done = { key, collected: Object.fromEntries(this.subscription.requires) };
    return { artifacts, key, progress: left.length > 0 ? [done, { key, collected: this.#count(left) }] : [done] };
  }

  /** Forgets what has been gathered. */
  clear(): void {
    this.#pools.clear();
  }

  /** Takes back in what had been gathered before, oldest first. */
  restore(artifact: StoredArtifact, key: string | undefined): void {
    const pool = this.#pools.get(key);
    if (pool) pool.push(artifact);
    else this.#pools.set(key, [artifact]);
  }

  #count(pool: readonly StoredArtifact[]): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(
      [...this.subscription.requires.keys()].map((type) => [type, 0]),
    );
    for (const { type } of pool) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }
}
