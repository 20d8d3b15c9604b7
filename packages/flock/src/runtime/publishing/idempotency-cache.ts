import type { DurablePart } from "../../store/store.ts";
import type { Published } from "./published.ts";

/** Number of idempotency keys in memory: clients retry within minutes, not days. */
const MAX_IDEMPOTENCY_KEYS = 10_000;

/** Runs one publish per idempotency key: the newest 10,000 keys, or all that a persistent store keeps. */
export class IdempotencyCache {
  readonly #durable: DurablePart | undefined;
  readonly #published = new Map<string, Promise<Published>>();

  constructor(durable: DurablePart | undefined) {
    this.#durable = durable;
  }

  /** Returns the earlier result for a key, or the result of `publish`, which must publish under that key. */
  async publish(idempotencyKey: string, publish: () => Promise<Published>): Promise<Published> {
    const before = this.#published.get(idempotencyKey);
    if (before) return before;
    const stored = this.#durable?.publishedUnder(idempotencyKey);
    if (stored) {
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
    const publishing = publish();
    this.#published.set(idempotencyKey, publishing);
    // A failed publish may be retried under its key. A result in a persistent store need not stay in memory.
    const forget = () => this.#published.delete(idempotencyKey);
    publishing.then(this.#durable && forget, forget);
    if (this.#published.size > MAX_IDEMPOTENCY_KEYS)
      this.#published.delete(this.#published.keys().next().value as string);
    return publishing;
  }
}
