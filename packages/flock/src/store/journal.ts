import type { EventWrite, Store, Write } from "./store.ts";

/** Receives the first failure of commits that fail in a row, and how many they were when one succeeds again. */
export interface FailureLog {
  failing(error: unknown): void;
  recovered(failures: number): void;
}

/** Who learns of events once they are permanent. Called in the order of the log, never with an empty list. */
export type CommitListener = (events: readonly EventWrite[]) => void;

/** Writes that are committed together. */
export interface CommitGroup {
  /** Whether its commit has failed: nothing of it has happened. */
  readonly hasFailed: boolean;
}

/** Gives back what a commit has made of some writes. */
interface Batch extends CommitGroup {
  hasFailed: boolean;
  readonly writes: Write[];
  readonly committed: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one write path. Writes of the same tick are committed together (group commit); only what is
 * committed is seen by anyone.
 */
export class Journal {
  readonly #store: Store;
  readonly #listener: CommitListener;
  #open: Batch | undefined;
  #committing: Promise<void> | undefined;
  #failures = 0;
  readonly #failureLog: FailureLog | undefined;
  /** How many commits have failed since the last one that succeeded. */
  #streak = 0;

  constructor(store: Store, listener: CommitListener, failureLog?: FailureLog) {
    this.#failureLog = failureLog;
    this.#store = store;
    this.#listener = listener;
  }

  /** The writes of this tick. */
  get group(): CommitGroup {
    return (this.#open ??= this.#begin());
  }

  /** Adds a write to the commit of this tick. */
  write(write: Write): void {
    (this.#open ??= this.#begin()).writes.push(write);
  }

  /** Resolves when all that was written in this tick is permanent; rejects when nothing of it is. */
  committed(): Promise<void> {
    return this.#open?.committed ?? Promise.resolve();
  }

  /** How many commits have failed: nothing of what was in them has happened. */
  get failures(): number {
    return this.#failures;
  }

  /** Resolves when nothing is left to commit, whether the commits have succeeded or not. */
  async settled(): Promise<void> {
    // The writers receive the failure of their own commit; who only waits is not to blame for it.
    while (this.#open || this.#committing) await (this.#committing ?? this.#open?.committed.catch(() => {}));
  }

  #begin(): Batch {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Many writers do not wait, streams above all: whoever does wait sees the rejection.
    promise.catch(() => {});
    if (!this.#committing) setImmediate(() => this.#commit());
    return { writes: [], hasFailed: false, committed: promise, resolve, reject };
  }

  #commit(): void {
    const batch = this.#open;
    if (!batch) return;
    this.#open = undefined;
    try {
      const pending = this.#store.commit(batch.writes);
      if (!pending) return this.#finish(batch);
      this.#committing = pending
        .then(
          () => this.#finish(batch),
          (error) => this.#fail(batch, error),
        )
        .finally(() => {
          this.#committing = undefined;
          this.#commit();
        });
    } catch (error) {
      this.#fail(batch, error);
    }
  }

  #fail(batch: Batch, error: unknown): void {
    this.#failures += 1;
    batch.hasFailed = true;
    if (++this.#streak === 1) this.#failureLog?.failing(error);
    batch.reject(error);
  }

  #finish(batch: Batch): void {
    if (this.#streak > 0) {
      this.#failureLog?.recovered(this.#streak);
      this.#streak = 0;
    }
    const events = batch.writes.filter((write) => write.kind === "event");
    if (events.length > 0) this.#listener(events);
    batch.resolve();
  }
}
