import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { checkId, FlockError } from "../../core/errors.ts";
import type { WorkStore } from "../../store/work.ts";
import type { Published } from "./published.ts";

/** A publish under an idempotency key. */
export interface KeyedPublish {
  /** The draft, for an artifact of this type that was published under the key before. */
  readonly draftFor: (type: string) => Draft;
  /** Publishes the draft under the key. */
  readonly publish: () => Promise<Published>;
}

/**
 * Begins the idempotency keys that are not the owner's own: those of other principals, of answers and of runs. It keeps
 * them apart, because a key of the owner that begins like this gets another one in front.
 */
export const KEY_MARK = "\u0001";

/** Runs one publish per idempotency key, for as long as the store keeps the artifact. */
export class IdempotencyCache {
  readonly #work: Pick<WorkStore, "publishedUnder">;
  readonly #rewritesPayloads: boolean;
  /** Publishes that are not committed yet, by key. */
  readonly #publishing = new Map<string, Promise<Published>>();

  /**
   * @param rewritesPayloads whether components may replace what is published. Then a stored payload says nothing about
   * the one that was sent, and only the types are compared.
   */
  constructor(work: Pick<WorkStore, "publishedUnder">, rewritesPayloads: boolean) {
    this.#work = work;
    this.#rewritesPayloads = rewritesPayloads;
  }

  /**
   * Returns the earlier result for a key, or the result of `publish`, which must publish under that key.
   * @throws FlockError `idempotency_conflict` when something else was published under the key.
   */
  async publish(key: string, keyed: KeyedPublish): Promise<Published> {
    const before = this.#publishing.get(key);
    if (before) {
      const published = await before;
      this.#assertSame(keyed, published.artifact);
      return published;
    }
    // A failed publish may be retried under its key. A result in a persistent store need not stay in memory.
    const result = this.#publish(key, keyed).finally(() => this.#publishing.delete(key));
    this.#publishing.set(key, result);
    return result;
  }

  async #publish(key: string, keyed: KeyedPublish): Promise<Published> {
    checkId("idempotency key", key, Number.POSITIVE_INFINITY);
    const stored = await this.#work.publishedUnder(key);
    if (!stored) return keyed.publish();
    const { artifact, triggered } = stored;
    this.#assertSame(keyed, artifact);
    return {
      artifactId: artifact.id,
      correlationId: artifact.correlationId,
      triggeredAgents: triggered.map(({ agentId }) => agentId),
      triggered,
      seq: artifact.seq,
      artifact,
    };
  }

  #assertSame({ draftFor }: KeyedPublish, { id, type, payload }: StoredArtifact): void {
    const draft = draftFor(type);
    if (draft.type === type && (this.#rewritesPayloads || draft.repeats(payload))) return;
    // Without the earlier payload: it may have been made visible to others than this publisher.
    const now = draft.type === type ? `another \`${type}\` was sent` : `a \`${draft.type}\` was sent`;
    throw new FlockError(
      "idempotency_conflict",
      `The idempotency key is in use: \`${type}\` ${id} was published under it, and now ${now}. Use a new key for each publish, and the same one only to repeat it.`,
    );
  }
}
