import type { DurablePart } from "../../store/store.ts";
import type { Published } from "./published.ts";

/** How many idempotency keys are remembered: a client repeats itself within minutes, not days. */
const MAX_IDEMPOTENCY_KEYS = 10_000;

/** Publishes once under each idempotency key, however often it is asked: the newest 10,000, or all that a file keeps. */
export class IdempotencyCache {
  readonly #durable: DurablePart | undefined;
  readonly #published = new Map<string, Promise<Published>>();

  constructor(durable: DurablePart | undefined) {
    this.#durable = durable;
  }

  /** What was published under a key before; otherwise what `publish` gives, which must publish under that key. */
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
    // What failed may be tried again under its key; and what is in a file, payload and all, need not stay in memory.
    const forget = () => this.#published.delete(idempotencyKey);
    publishing.then(this.#durable && forget, forget);
    if (this.#published.size > MAX_IDEMPOTENCY_KEYS)
      this.#published.delete(this.#published.keys().next().value as string);
    return publishing;
  }
}
