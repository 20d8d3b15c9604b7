import { checkWellFormed } from "../../core/errors.ts";
import type { WorkStore } from "../../store/work.ts";
import type { Published } from "./published.ts";

/** Runs one publish per idempotency key, for as long as the store keeps the artifact. */
export class IdempotencyCache {
  readonly #work: Pick<WorkStore, "publishedUnder">;
  /** Publishes that are not committed yet, by key. */
  readonly #publishing = new Map<string, Promise<Published>>();

  constructor(work: Pick<WorkStore, "publishedUnder">) {
    this.#work = work;
  }

  /** Returns the earlier result for a key, or the result of `publish`, which must publish under that key. */
  publish(idempotencyKey: string, publish: () => Promise<Published>): Promise<Published> {
    const before = this.#publishing.get(idempotencyKey);
    if (before) return before;
    // A failed publish may be retried under its key. A result in a persistent store need not stay in memory.
    const publishing = this.#publish(idempotencyKey, publish).finally(() => this.#publishing.delete(idempotencyKey));
    this.#publishing.set(idempotencyKey, publishing);
    return publishing;
  }

  async #publish(idempotencyKey: string, publish: () => Promise<Published>): Promise<Published> {
    checkWellFormed("idempotency key", [idempotencyKey]);
    const stored = await this.#work.publishedUnder(idempotencyKey);
    if (!stored) return publish();
    const { artifact, triggered } = stored;
    return {
      artifactId: artifact.id,
      correlationId: artifact.correlationId,
      triggeredAgents: triggered.map(({ agentId }) => agentId),
      triggered,
      seq: artifact.seq,
      artifact,
    };
  }
}
