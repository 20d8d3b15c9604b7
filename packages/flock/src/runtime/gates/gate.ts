import { allOf, type EventVisibility } from "@flock-ts/protocol";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import { millisecondsOf } from "../../core/time.ts";
import type { Dropped } from "../alerts/gate-drops.ts";
import { Arrivals, type Entry, Pool } from "./pool.ts";
import { VisibilityBag } from "./visibility-bag.ts";

/** Why artifacts left a gate unused: their window passed, the gate was full, or `whereGroup` returned false. */
export type DropReason = Dropped["reason"];

/** Progress of a gate. */
export interface GateProgress {
  /** Correlation id of the artifact that arrived or was dropped. */
  readonly correlationId: string;
  /** Key of the pool; undefined for a gate with one pool, and for its batch. */
  readonly key: string | undefined;
  /** By artifact type. */
  readonly collected: Readonly<Record<string, number>>;
  readonly required: Readonly<Record<string, number>>;
  /**
   * When the oldest of these artifacts expires or the batch is due, in milliseconds; undefined without a time limit.
   */
  readonly expiresAt: number | undefined;
  /** Number of dropped artifacts, if any. */
  readonly dropped?: number;
  readonly reason?: DropReason;
  /** Visibility of everything in this report; undefined means public. */
  readonly visibility?: EventVisibility | undefined;
}

/** A waiting artifact in the form that is restored after a restart. */
export interface Waiting {
  readonly artifact: StoredArtifact;
  readonly key: string | undefined;
  /** Sequence number of the artifact in the gate, from 1. */
  readonly position: number;
  /** Group of the batch that the artifact belongs to; undefined while its group is incomplete. */
  readonly group: number | undefined;
}

/** Result of offering an artifact or of waking a gate. */
export interface GateOutcome {
  /** Progress reports, in order. */
  readonly progress: GateProgress[];
  /** Artifacts that now wait, or whose position changed. */
  readonly waiting: Waiting[];
  /** Artifacts that no longer wait. */
  readonly left: StoredArtifact[];
  /** Artifacts that left unused, in order. */
  readonly dropped: Dropped[];
  /** Artifacts that trigger the agent, in order of arrival, group by group. */
  artifacts: readonly StoredArtifact[] | undefined;
  /** The error that `whereGroup` threw, if any. */
  error: unknown;
}

/** Summary of the artifacts in a gate. */
export interface GateState {
  /** Number of join keys with waiting artifacts; 0 or 1 for a gate without a key. */
  readonly pools: number;
  /** Number of artifacts that wait for others. */
  readonly artifacts: number;
  /** Number of artifacts in the batch. */
  readonly batched: number;
  /** Number of artifacts that left unused since the process started. */
  readonly dropped: number;
  /** When the next of these artifacts expires or the batch is due, in milliseconds; `Infinity` means never. */
  readonly deadline: number;
}

/** A complete group that waits in the batch. */
interface Group {
  readonly artifacts: readonly StoredArtifact[];
  /** Arrival time of its last artifact, in milliseconds. */
  readonly at: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** Maximum number of artifacts that expire in one turn; more would block the event loop for milliseconds. */
const MAX_EXPIRED_AT_ONCE = 1_000;

/**
 * Collects artifacts until a subscription's requirements are met. Each artifact is used once, oldest first.
 * Gates are clock-free: the caller passes the time and reads the next deadline. Time windows, count windows and the
 * size limit all drop the oldest artifact first. One list of arrivals serves all three, so no operation scans all
 * pools.
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

  /** The time of the next change, in milliseconds; `Infinity` means never. */
  get deadline(): number {
    return Math.min(this.batchDeadline, this.#expiryOf(this.#arrivals.first));
  }

  /** When the batch is due, in milliseconds; `Infinity` means never. */
  get batchDeadline(): number {
    const [first] = this.#batch;
    const { batch } = this.subscription;
    if (!first || !batch) return NEVER;
    // The batch can only be full here if an earlier process used a larger size.
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

  /** Returns the artifacts with a key that wait, in order of arrival. */
  waitingFor(key: string | undefined): readonly StoredArtifact[] {
    return this.#pools.get(key)?.artifacts ?? [];
  }

  /** Number of artifacts that this gate has accepted. */
  get taken(): number {
    return this.#taken;
  }

  /** Number of artifacts that were dropped because the gate was full. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Returns an artifact's arrival time in milliseconds; 0 for gates without time limits, which saves parsing it. */
  timeOf(artifact: StoredArtifact): number {
    const { withinMs, batch } = this.subscription;
    return withinMs < NEVER || (batch && batch.timeout < NEVER) ? millisecondsOf(artifact.createdAt) : 0;
  }

  /** Offers an artifact that the subscription accepts. A batch that is due must be woken first. */
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
    // Drop artifacts that are too old for this one now, even if the timer is late.
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
   * Returns what `offer` would do, without changing this gate: it offers the artifact to a copy with the same pool.
   * Time is linear in the number of waiting artifacts.
   */
  dryRun(artifact: StoredArtifact): GateOutcome {
    const { subscription } = this;
    const copy = new Gate(subscription);
    copy.#taken = this.#taken;
    copy.#batch = [...this.#batch];
    const key = subscription.keyOf(artifact);
    // Other pools only matter when the gate is full and drops its oldest artifact.
    const isFull = this.#arrivals.size >= subscription.maxWaiting;
    for (let entry = this.#arrivals.first; entry; entry = entry.next) {
      if (!isFull && entry.pool.key !== key) continue;
      copy.#take(
        { artifact: entry.artifact, key: entry.pool.key, position: entry.position, group: undefined },
        entry.at,
      );
    }
    const at = this.timeOf(artifact);
    if (copy.batchDeadline <= at) copy.wake(at);
    return copy.offer(artifact);
  }

  /** Processes what is due at this time: completes the batch and drops a limited number of expired artifacts. */
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

  /** Replaces the gate's content with restored artifacts, in order of arrival. */
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
      // The agent was redeclared without a batch or with other types.
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
    const continues = before?.reason === reason && before.key === key && before.correlationId === correlationId;
    if (continues) outcome.progress.pop();
    const earlier = continues ? (outcome.dropped.pop()?.artifacts ?? []) : [];
    outcome.dropped.push({ reason, key, artifacts: [...earlier, entry.artifact] });
    const dropped = (continues ? (before.dropped ?? 0) : 0) + 1;
    const progress = this.#progress(key, entry.artifact);
    const visibility = continues ? allOf([before.visibility, progress.visibility]) : progress.visibility;
    outcome.progress.push({ ...progress, visibility, dropped, reason });
  }

  /** Completes the group of a pool with the artifact that arrived last. */
  #complete(pool: Pool, last: StoredArtifact, position: number, at: number, outcome: GateOutcome): void {
    const { subscription } = this;
    const group = pool.group();
    for (const entry of group) this.#remove(entry);
    const artifacts = group.map(({ artifact }) => artifact);
    if (!this.#accepts(artifacts, outcome)) {
      this.#dropped += artifacts.length;
      for (const artifact of artifacts) if (artifact !== last) outcome.left.push(artifact);
      outcome.dropped.push({ reason: "refused", key: pool.key, artifacts });
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
      outcome.error = error ?? new Error("`whereGroup` threw `undefined` or `null`");
      return false;
    }
  }

  /** Completes the batch. `last` has just arrived and is not stored as waiting. */
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

  /** Returns the progress of a pool, together with the batch when neither has a key. */
  #progress(key: string | undefined, { correlationId, visibility: own }: StoredArtifact): GateProgress {
    const { requires, batch } = this.subscription;
    const pool = this.#pools.get(key);
    const groups = key === undefined ? this.#batch.length : 0;
    const size = key === undefined ? (batch?.size ?? 1) : 1;
    const collected: Record<string, number> = {};
    const required: Record<string, number> = {};
    for (const [type, perGroup] of requires) {
      collected[type] = (pool?.count(type) ?? 0) + groups * perGroup;
      required[type] = size * perGroup;
    }
    // A complete batch has no deadline.
    const due = groups < size ? Math.min(this.#expiryOf(pool?.oldest), groups > 0 ? this.batchDeadline : NEVER) : NEVER;
    const visibility = allOf([own, pool?.bag.visibility, key === undefined ? this.#batchBag.visibility : undefined]);
    return { correlationId, key, collected, required, expiresAt: due < NEVER ? due : undefined, visibility };
  }
}

function newOutcome(): GateOutcome {
  return { progress: [], waiting: [], left: [], dropped: [], artifacts: undefined, error: undefined };
}
