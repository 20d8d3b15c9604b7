import type { CommitResult, SealedEvent, StoreSession } from "./store.ts";
import type { Write } from "./writes.ts";

/** Receives the first failure of commits that fail in a row, and how many they were when one succeeds again. */
export interface FailureLog {
  failing(error: unknown): void;
  recovered(failures: number): void;
}

/** Receives events once they are permanent, in the order of the log, before any writer does. Never an empty list. */
export type CommitListener = (events: readonly SealedEvent[]) => void;

/** Writes that are committed or refused together. */
export interface CommitGroup {
  /** Whether its commit has failed: nothing of it has happened. */
  readonly hasFailed: boolean;
}

interface Group extends CommitGroup {
  hasFailed: boolean;
  readonly writes: Write[];
  readonly committed: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The groups of one commit. */
interface Batch {
  readonly groups: Group[];
  /** The group of writes outside a transaction, until a transaction begins. */
  shared: Group | undefined;
  readonly done: Promise<void>;
  readonly end: () => void;
}

/**
 * The one write path. Writes of the same tick are committed together (group commit), and one commit follows another.
 * Only what is committed is visible to anyone.
 */
export class Journal {
  readonly #session: Pick<StoreSession, "commit">;
  readonly #listener: CommitListener;
  readonly #failureLog: FailureLog | undefined;
  #recover: () => Promise<void> | undefined = () => undefined;
  #open: Batch | undefined;
  /** The group of the transaction that is being written. */
  #current: Group | undefined;
  #committing: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #failures = 0;
  /** How many commits have failed since the last one that succeeded. */
  #streak = 0;

  constructor(session: Pick<StoreSession, "commit">, listener: CommitListener, failureLog?: FailureLog) {
    this.#session = session;
    this.#listener = listener;
    this.#failureLog = failureLog;
  }

  /**
   * Sets what restores the state that was derived from writes which have failed. While it runs, nothing is committed.
   * Writes that were added meanwhile fail too: they were derived from the wrong state.
   */
  onFailure(recover: () => Promise<void> | undefined): void {
    this.#recover = recover;
  }

  /** Settles when the state is restored after a failed commit; undefined when there is nothing to wait for. */
  get recovering(): Promise<void> | undefined {
    return this.#recovering;
  }

  /** The group that the next write joins. */
  get group(): CommitGroup {
    return this.#groupNow();
  }

  /** Adds a write to the commit of this tick. */
  write(write: Write): void {
    this.#groupNow().writes.push(write);
  }

  /** Makes a separate group of all that `work` writes synchronously: when it is refused, only it fails. */
  transact<T>(work: () => T): T {
    if (this.#current) return work();
    const batch = (this.#open ??= this.#begin());
    this.#current = addGroup(batch);
    // Later writes may refer to this group, and so come after it.
    batch.shared = undefined;
    try {
      return work();
    } finally {
      this.#current = undefined;
    }
  }

  /**
   * Resolves when what was written last is permanent: in a transaction its writes, else the writes of this tick. Rejects
   * when nothing of them is. Call it in the tick of the writes.
   */
  committed(): Promise<void> {
    return (this.#current ?? this.#open?.shared)?.committed ?? Promise.resolve();
  }

  /** How many commits have failed. Nothing of what was in them has happened. */
  get failures(): number {
    return this.#failures;
  }

  /** Resolves when nothing is left to commit, whether the commits have succeeded or not. */
  async settled(): Promise<void> {
    while (this.#open || this.#committing) await (this.#committing ?? this.#open?.done);
  }

  #groupNow(): Group {
    if (this.#current) return this.#current;
    const batch = (this.#open ??= this.#begin());
    batch.shared ??= addGroup(batch);
    return batch.shared;
  }

  #begin(): Batch {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#committing) setImmediate(() => this.#commit());
    return { groups: [], shared: undefined, done: promise, end: resolve };
  }

  #commit(): void {
    const batch = this.#open;
    if (!batch || this.#committing) return;
    this.#open = undefined;
    this.#committing = this.#run(batch).finally(() => {
      this.#committing = undefined;
      // In a separate turn, so that writers which have waited for this commit can join the next one.
      if (this.#open) setImmediate(() => this.#commit());
      batch.end();
    });
  }

  async #run(batch: Batch): Promise<void> {
    const { groups } = batch;
    let failure: unknown;
    try {
      const result = await this.#session.commit(groups.map(({ writes }) => writes));
      failure = result.refused.values().next().value;
      this.#finish(batch, result);
    } catch (error) {
      failure = error ?? new Error("the store failed without an error");
      if (++this.#streak === 1) this.#failureLog?.failing(error);
      this.#failures += 1;
      for (const group of groups) fail(group, error);
    }
    if (failure === undefined) return;
    this.#recovering = this.#recover();
    if (!this.#recovering) return;
    await this.#recovering.catch(() => {});
    this.#recovering = undefined;
    const derived = this.#open;
    this.#open = undefined;
    for (const group of derived?.groups ?? []) fail(group, failure);
    derived?.end();
  }

  #finish({ groups }: Batch, { events, refused }: CommitResult): void {
    if (this.#streak > 0) {
      this.#failureLog?.recovered(this.#streak);
      this.#streak = 0;
    }
    for (const { write, seq } of events) {
      write.event.seq = seq;
      if (!write.artifact) continue;
      (write.artifact as { seq: number }).seq = seq;
      // From now on, agents have it.
      Object.freeze(write.artifact);
    }
    if (events.length > 0) this.#listener(events);
    for (const [index, group] of groups.entries()) {
      const error = refused.get(index);
      if (error) fail(group, error);
      else group.resolve();
    }
  }
}

function addGroup({ groups }: Batch): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Most writers do not wait for the commit; those that do receive the rejection.
  promise.catch(() => {});
  const group: Group = { writes: [], hasFailed: false, committed: promise, resolve, reject };
  groups.push(group);
  return group;
}

function fail(group: Group, error: unknown): void {
  group.hasFailed = true;
  group.reject(error);
}
