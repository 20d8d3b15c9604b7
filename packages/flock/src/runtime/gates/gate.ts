import { allOf, type EventVisibility } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import { millisecondsOf } from "../../core/time.ts";
import { Arrivals, type Entry, Pool } from "./pool.ts";
import { VisibilityBag } from "./visibility-bag.ts";

/** Why artifacts left a gate unused: their window had passed, too many waited, or `whereGroup` did not hold. */
export type DropReason = "expired" | "full" | "refused";

/** How far a gate is. */
export interface GateProgress {
  /** Of the artifact that came, or was dropped. */
  readonly correlationId: string;
  /** Of the pool; undefined for a gate that has but one, and for its batch. */
  readonly key: string | undefined;
  /** By artifact type. */
  readonly collected: Readonly<Record<string, number>>;
  readonly required: Readonly<Record<string, number>>;
  /** When the oldest of these is dropped or the batch is due, in milliseconds; undefined when time does nothing. */
  readonly expiresAt: number | undefined;
  /** How many artifacts have been dropped, when some have. */
  readonly dropped?: number;
  readonly reason?: DropReason;
  /** Who may see all that this tells of; undefined: everybody. */
  readonly visibility?: EventVisibility | undefined;
}

/** An artifact that waits, as the next process must know it. */
export interface Waiting {
  readonly artifact: StoredArtifact;
  readonly key: string | undefined;
  /** The how many-th artifact that the gate took in. */
  readonly position: number;
  /** Which group of the batch it belongs to; undefined while it still waits for others. */
  readonly group: number | undefined;
}

/** What came of an artifact, or of the time that passed. */
export interface GateOutcome {
  /** What the gate tells of itself, one after the other. */
  readonly progress: GateProgress[];
  /** Artifacts that wait now, or wait in another place than before. */
  readonly waiting: Waiting[];
  /** Artifacts that waited and do so no longer. */
  readonly left: StoredArtifact[];
  /** The artifacts that wake the agent, in the order of arrival, group by group. */
  artifacts: readonly StoredArtifact[] | undefined;
  /** What `whereGroup` threw, if it did. */
  error: unknown;
}

/** What waits in a gate. */
export interface GateState {
  /** Join keys for which artifacts wait; 0 or 1 for a gate without a key. */
  readonly pools: number;
  /** Artifacts that wait for others. */
  readonly artifacts: number;
  /** Artifacts in the batch. */
  readonly batched: number;
  /** Artifacts that left unused, since the process began. */
  readonly dropped: number;
  /** When the next of these is dropped or the batch is due, in milliseconds; `Infinity` for never. */
  readonly deadline: number;
}

/** Artifacts that belong together and wait for the batch to be enough. */
interface Group {
  readonly artifacts: readonly StoredArtifact[];
  /** When the last of them came, in milliseconds. */
  readonly at: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** So many artifacts are dropped in one turn: more would hold up everybody else for milliseconds. */
const MAX_EXPIRED_AT_ONCE = 1_000;

/**
 * Gathers artifacts until a subscription has what it requires. An artifact is used once, oldest first.
 *
 * A gate has no clock: it is told what time it is and says by when it wants to be told again. Windows by time, windows by count and the
 * limit all drop the oldest first, so that one list of arrivals serves them all, and nothing looks at every pool.
 */
export class Gate {
  readonly subscription: Subscription;
  readonly #pools = new Map<string | undefined, Pool>();
  readonly #arrivals = new Arrivals();
  #batch: Group[] = [];
  readonly #batchBag = new VisibilityBag();
  #taken = 0;
  #dropped = 0;
  #overflowed = 0;

  constructor(subscription: Subscription) {
    this.subscription = subscription;
  }

  /** When time will next change something, in milliseconds; `Infinity` for never. */
  get deadline(): number {
    return Math.min(this.batchDeadline, this.#expiryOf(this.#arrivals.first));
  }

  /** When the batch is due, in milliseconds; `Infinity` for never. */
  get batchDeadline(): number {
    const [first] = this.#batch;
    const { batch } = this.subscription;
    if (!first || !batch) return NEVER;
    // It is only ever full when an earlier process let it grow larger.
    return this.#batch.length >= batch.size ? 0 : first.at + batch.timeout;
  }

  get state(): GateState {
    return {
      pools: this.#pools.size,
      artifacts: this.#arrivals.size,
      batched: this.#batch.length * this.subscription.groupSize,
      dropped: this.#dropped,
      deadline: this.deadline,
    };
  }

  /** How many artifacts this gate has taken in. */
  get taken(): number {
    return this.#taken;
  }

  /** How many artifacts it has dropped because too many waited. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** When an artifact came, in milliseconds. Gates for which time does nothing do not ask. */
  timeOf(artifact: StoredArtifact): number {
    const { withinMs, batch } = this.subscription;
    return withinMs < NEVER || (batch && batch.timeout < NEVER) ? millisecondsOf(artifact.createdAt) : 0;
  }

  /** Offers an artifact that the subscription accepts. A batch that is due must have been woken before. */
  offer(artifact: StoredArtifact): GateOutcome {
    const { subscription } = this;
    const at = this.timeOf(artifact);
    const key = subscription.keyOf(artifact);
    const outcome = newOutcome();
    const position = ++this.#taken;
    for (let oldest = this.#arrivals.first; oldest && oldest.position <= position - subscription.withinArtifacts; ) {
      this.#drop(oldest, "expired", outcome);
      oldest = this.#arrivals.first;
    }
    // What is too old for this one shall not wait for the timer.
    for (let oldest = this.#pools.get(key)?.oldest; oldest && this.#expiryOf(oldest) <= at; ) {
      this.#drop(oldest, "expired", outcome);
      oldest = this.#pools.get(key)?.oldest;
    }
    this.#take({ artifact, key, position, group: undefined }, at);
    const pool = this.#pools.get(key) as Pool;
    if (pool.isComplete) this.#complete(pool, artifact, position, at, outcome);
    else {
      outcome.waiting.push({ artifact, key, position, group: undefined });
      outcome.progress.push(this.#progress(key, artifact));
    }
    if (this.#arrivals.size > subscription.maxWaiting) this.#drop(this.#arrivals.first as Entry, "full", outcome);
    return outcome;
  }

  /**
   * What `offer` would do, with nothing done: another gate is given what waits for the same key, and the artifact. It costs
   * as much as there are artifacts that wait.
   */
  dryRun(artifact: StoredArtifact): GateOutcome {
    const { subscription } = this;
    const stage = new Gate(subscription);
    stage.#taken = this.#taken;
    stage.#batch = [...this.#batch];
    const key = subscription.keyOf(artifact);
    // Only what drops out of a full gate depends on the other pools.
    const isFull = this.#arrivals.size >= subscription.maxWaiting;
    for (let entry = this.#arrivals.first; entry; entry = entry.next) {
      if (!isFull && entry.pool.key !== key) continue;
      stage.#take(
        { artifact: entry.artifact, key: entry.pool.key, position: entry.position, group: undefined },
        entry.at,
      );
    }
    const at = this.timeOf(artifact);
    if (stage.batchDeadline <= at) stage.wake(at);
    return stage.offer(artifact);
  }

  /** Does what is due at this time: the batch runs, and what is too old is dropped, some of it at a time. */
  wake(now: number): GateOutcome {
    const outcome = newOutcome();
    if (this.batchDeadline <= now) {
      const first = this.#batch[0]?.artifacts[0] as StoredArtifact;
      this.#fire(undefined, outcome);
      outcome.progress.push(this.#progress(undefined, first));
    }
    for (let n = 0; n < MAX_EXPIRED_AT_ONCE; n++) {
      const oldest = this.#arrivals.first;
      if (!oldest || this.#expiryOf(oldest) > now) break;
      this.#drop(oldest, "expired", outcome);
    }
    return outcome;
  }

  /** Forgets what waits, and begins again with what waited before, in the order of arrival. */
  restore(waiting: readonly Waiting[], taken: number): void {
    this.#pools.clear();
    while (this.#arrivals.first) this.#arrivals.remove(this.#arrivals.first);
    this.#taken = taken;
    const groups = Map.groupBy(waiting, ({ group }) => group);
    for (const one of groups.get(undefined) ?? []) this.#take(one, this.timeOf(one.artifact));
    groups.delete(undefined);
    this.#batch = [];
    this.#batchBag.clear();
    for (const [, group] of [...groups].sort(([a = 0], [b = 0]) => a - b)) {
      const artifacts = group.map(({ artifact }) => artifact);
      const at = this.timeOf(artifacts.at(-1) as StoredArtifact);
      if (this.subscription.batch && this.subscription.isFilledBy(artifacts)) this.#putInBatch({ artifacts, at });
      // The agent has been declared anew, without a batch or with other types.
      else for (const one of group) this.#take(one, this.timeOf(one.artifact));
    }
    for (const { position } of waiting) this.#taken = Math.max(this.#taken, position);
  }

  #expiryOf(entry: Entry | undefined): number {
    return entry ? entry.at + this.subscription.withinMs : NEVER;
  }

  #take({ artifact, key, position }: Waiting, at: number): void {
    let pool = this.#pools.get(key);
    if (!pool) this.#pools.set(key, (pool = new Pool(key, this.subscription.requires)));
    const entry: Entry = { artifact, at, position, pool, after: undefined, previous: undefined, next: undefined };
    pool.add(entry);
    this.#arrivals.add(entry);
  }

  #remove(entry: Entry): void {
    const { pool } = entry;
    this.#arrivals.remove(entry);
    pool.remove(entry);
    if (pool.size === 0) this.#pools.delete(pool.key);
  }

  #drop(entry: Entry, reason: DropReason, outcome: GateOutcome): void {
    this.#remove(entry);
    this.#dropped += 1;
    if (reason === "full") this.#overflowed += 1;
    outcome.left.push(entry.artifact);
    const { key } = entry.pool;
    const { correlationId } = entry.artifact;
    const before = outcome.progress.at(-1);
    const goesOn = before?.reason === reason && before.key === key && before.correlationId === correlationId;
    if (goesOn) outcome.progress.pop();
    const dropped = (goesOn ? (before.dropped ?? 0) : 0) + 1;
    const progress = this.#progress(key, entry.artifact);
    const visibility = goesOn ? allOf([before.visibility, progress.visibility]) : progress.visibility;
    outcome.progress.push({ ...progress, visibility, dropped, reason });
  }

  /** A pool has what a group needs, through the artifact that came last. */
  #complete(pool: Pool, last: StoredArtifact, position: number, at: number, outcome: GateOutcome): void {
    const { subscription } = this;
    const group = pool.group();
    for (const entry of group) this.#remove(entry);
    const artifacts = group.map(({ artifact }) => artifact);
    if (!this.#accepts(artifacts, outcome)) {
      this.#dropped += artifacts.length;
      for (const artifact of artifacts) if (artifact !== last) outcome.left.push(artifact);
      const dropped = artifacts.length;
      const progress = this.#progress(pool.key, last);
      const visibility = allOf([progress.visibility, seenTogether(artifacts)]);
      outcome.progress.push({ ...progress, visibility, dropped, reason: "refused" });
      return;
    }
    const isPartOfBatch = subscription.batch !== undefined && pool.key === undefined;
    if (!isPartOfBatch) {
      const collected = Object.fromEntries(subscription.requires);
      const { correlationId } = last;
      const visibility = seenTogether(artifacts);
      const complete = { correlationId, key: pool.key, collected, required: collected, expiresAt: undefined };
      outcome.progress.push({ ...complete, visibility });
      if (pool.size > 0) outcome.progress.push(this.#progress(pool.key, last));
    }
    if (!subscription.batch) {
      outcome.artifacts = artifacts;
      for (const artifact of artifacts) if (artifact !== last) outcome.left.push(artifact);
      return;
    }
    this.#putInBatch({ artifacts, at });
    outcome.progress.push(this.#progress(undefined, last));
    if (this.#batch.length < subscription.batch.size) {
      for (const entry of group)
        outcome.waiting.push({ artifact: entry.artifact, key: pool.key, position: entry.position, group: position });
      return;
    }
    this.#fire(last, outcome);
    if (this.#arrivals.size > 0 && isPartOfBatch) outcome.progress.push(this.#progress(undefined, last));
  }

  #accepts(artifacts: readonly StoredArtifact[], outcome: GateOutcome): boolean {
    try {
      return this.subscription.acceptsGroup(artifacts);
    } catch (error) {
      outcome.error = error ?? new Error("whereGroup threw nothing at all");
      return false;
    }
  }

  /** The batch is enough. `last` has just come, and waits nowhere yet. */
  #fire(last: StoredArtifact | undefined, outcome: GateOutcome): void {
    const artifacts = this.#batch.splice(0, this.subscription.batch?.size).flatMap((group) => group.artifacts);
    for (const artifact of artifacts) this.#batchBag.remove(artifact);
    outcome.artifacts = artifacts;
    for (const artifact of artifacts) if (artifact !== last) outcome.left.push(artifact);
  }

  #putInBatch(group: Group): void {
    this.#batch.push(group);
    for (const artifact of group.artifacts) this.#batchBag.add(artifact);
  }

  /** Of a pool; together with the batch where both have no key. */
  #progress(key: string | undefined, { correlationId, visibility: own }: StoredArtifact): GateProgress {
    const { requires, batch } = this.subscription;
    const pool = this.#pools.get(key);
    const groups = key === undefined ? this.#batch.length : 0;
    const size = key === undefined ? (batch?.size ?? 1) : 1;
    const collected: Record<string, number> = {};
    const required: Record<string, number> = {};
    for (const [type, wanted] of requires) {
      collected[type] = (pool?.count(type) ?? 0) + groups * wanted;
      required[type] = size * wanted;
    }
    // What is complete waits for nothing more.
    const due = groups < size ? Math.min(this.#expiryOf(pool?.oldest), groups > 0 ? this.batchDeadline : NEVER) : NEVER;
    const visibility = allOf([own, pool?.bag.visibility, key === undefined ? this.#batchBag.visibility : undefined]);
    return { correlationId, key, collected, required, expiresAt: due < NEVER ? due : undefined, visibility };
  }
}

function newOutcome(): GateOutcome {
  return { progress: [], waiting: [], left: [], artifacts: undefined, error: undefined };
}
