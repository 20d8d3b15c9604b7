import type { Clock } from "../../core/clock.ts";
import { backoff } from "../../store/backoff.ts";
import { isRefusal } from "../../store/refusal.ts";
import type { Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Activation } from "./activation.ts";

/** How an activation has gone, until that is on the blackboard. */
export interface Outcome {
  readonly activation: Omit<Activation, "onEnd">;
  /** The artifacts that belong to it. */
  readonly publications: readonly Publication[];
  /** Adds all of it to the commit of this tick. `isFirst`: no earlier commit with it has failed. */
  write(isFirst: boolean): void;
  /** Runs when it is committed. `isCancelled`: a cancel came too late to replace it. */
  committed(isCancelled: boolean): void;
  /** Runs when the flock shuts down before it is committed. The next process finds the activation unfinished. */
  abandoned(): void;
  /** Returns the outcome to write instead, when the store can never take this one or the activation was cancelled. */
  readonly replacement: ((reason: { readonly refusal: unknown } | "cancelled") => Outcome) | undefined;
  /** Whether a cancel still has an effect after the first commit with it has begun. */
  readonly isCancellable: boolean;
}

/** An outcome that is not committed yet. */
interface Pending {
  outcome: Outcome;
  failures: number;
  isCancelled: boolean;
  /** Ends the wait for the next try, while there is one. */
  tryNow: (() => void) | undefined;
  readonly done: Promise<void>;
}

/** So many refusals in a row count: the first may be the fault of another write in the same commit. */
const MAX_REFUSALS = 3;

/** What {@link Outcomes} work with. */
export interface OutcomesDeps {
  readonly clock: Clock;
  readonly publisher: Pick<Publisher, "committed">;
}

/** Writes outcomes, each again and again until it is committed. */
export class Outcomes {
  readonly #deps: OutcomesDeps;
  readonly #pending = new Set<Pending>();
  #stopped = false;

  constructor(deps: OutcomesDeps) {
    this.#deps = deps;
  }

  /** Writes an outcome. Resolves when it is committed or abandoned; never rejects. */
  write(outcome: Outcome): Promise<void> {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const pending: Pending = { outcome, failures: 0, isCancelled: false, tryNow: undefined, done };
    this.#pending.add(pending);
    this.#try(pending, resolve);
    return done;
  }

  /** Whether an outcome of a wanted activation is not committed yet. */
  has(wanted: (activation: Outcome["activation"]) => boolean): boolean {
    for (const { outcome } of this.#pending) if (wanted(outcome.activation)) return true;
    return false;
  }

  /** Replaces outcomes that could not be committed so far, and ends what would follow them. Returns how many. */
  cancel(wanted: (activation: Outcome["activation"]) => boolean): number {
    let cancelled = 0;
    for (const pending of this.#pending) {
      const { outcome, failures } = pending;
      if (pending.isCancelled || !wanted(outcome.activation)) continue;
      if (failures === 0 && !outcome.isCancellable) continue;
      pending.isCancelled = true;
      cancelled += 1;
      pending.tryNow?.();
    }
    return cancelled;
  }

  /** Resolves when the outcomes of wanted activations are committed or abandoned. */
  async settled(wanted: (activation: Outcome["activation"]) => boolean): Promise<void> {
    await Promise.all([...this.#pending].flatMap(({ outcome, done }) => (wanted(outcome.activation) ? done : [])));
  }

  /** Writes nothing again from now on: what cannot be committed is abandoned. */
  stop(): void {
    this.#stopped = true;
    for (const { tryNow } of this.#pending) tryNow?.();
  }

  #try(pending: Pending, resolve: () => void): void {
    const { outcome, failures } = pending;
    outcome.write(failures === 0);
    void this.#deps.publisher.committed(
      outcome.publications,
      () => {
        this.#pending.delete(pending);
        outcome.committed(pending.isCancelled);
        resolve();
      },
      (error) => this.#wait(pending, error, resolve),
    );
  }

  #wait(pending: Pending, error: unknown, resolve: () => void): void {
    pending.failures += 1;
    const refusal = isRefusal(error) && pending.failures >= MAX_REFUSALS ? { refusal: error } : undefined;
    const next = () => {
      pending.tryNow = undefined;
      if (this.#stopped) {
        this.#pending.delete(pending);
        pending.outcome.abandoned();
        resolve();
        return;
      }
      const { outcome } = pending;
      const reason = pending.isCancelled ? "cancelled" : refusal;
      if (reason && outcome.replacement) pending.outcome = outcome.replacement(reason);
      this.#try(pending, resolve);
    };
    if (this.#stopped) return next();
    // The process must not end before what it has done is written.
    const cancelTimer = this.#deps.clock.after(backoff(pending.failures), next, true);
    pending.tryNow = () => {
      cancelTimer();
      next();
    };
    if (pending.isCancelled) pending.tryNow();
  }
}
