import { z } from "zod";
import type { RunPublishOptions } from "../../agents/run-context.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { Journal } from "../../store/journal.ts";
import type { WorkStore } from "../../store/store.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { KEY_MARK } from "../publishing/idempotency-cache.ts";
import type { Origin } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Activation } from "./activation.ts";
import type { Begun } from "./begun.ts";
import { assertMayPublish } from "./output-check.ts";
import { WatchedPromise } from "./watched-promise.ts";

/** Collaborators of {@link EarlyOutput}. */
export interface EarlyOutputDeps {
  readonly publisher: Pick<Publisher, "prepare" | "post" | "committed">;
  readonly journal: Pick<Journal, "recovering" | "transact">;
  readonly tracing: Pick<Tracing, "publish">;
  readonly work: Pick<WorkStore, "publishedUnder">;
}

/** The run that publishes. */
export interface PublishingRun {
  readonly activation: Activation;
  readonly begun: Pick<Begun, "ensure"> | undefined;
  /** Throws the reason why the run was stopped, if it was. */
  throwIfStopped(): void;
}

const optionsSchema = z.strictObject({
  key: z.string().min(1).max(200).optional(),
  atEnd: z.boolean().optional(),
});

/** The output of a run before its end: what it has published, and what it holds until then. */
export class EarlyOutput {
  readonly #run: PublishingRun;
  readonly #deps: EarlyOutputDeps;
  /** What the run has published so far, in the order of the commits. */
  readonly published: StoredArtifact[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  readonly #byKey = new Map<string, Promise<StoredArtifact>>();
  /** Number of drafts by type, as `fanOut` counts them. */
  readonly #counts = new Map<string, number>();
  readonly #failed: { readonly caller: { readonly hasAwaited: boolean }; readonly error: unknown }[] = [];
  #held: Draft[] = [];
  #isClosed = false;

  constructor(run: PublishingRun, deps: EarlyOutputDeps) {
    this.#run = run;
    this.#deps = deps;
  }

  /** Publishes a draft now, or holds it until the end. See `RunContext.publish`. */
  publish(draft: Draft, options: RunPublishOptions = {}): Promise<StoredArtifact | undefined> | undefined {
    const { agent } = this.#run.activation;
    if (options.atEnd === true) {
      checkOptions(`agent ${agent.name}: publish`, optionsSchema.omit({ key: true }), options);
      this.#assertOpen(draft);
      this.#held.push(draft);
      return undefined;
    }
    const result = this.#publish(draft, options);
    const caller = { hasAwaited: false };
    this.#pending.add(result);
    result.then(
      () => this.#pending.delete(result),
      (error) => {
        this.#pending.delete(result);
        this.#failed.push({ caller, error });
      },
    );
    return new WatchedPromise(result, (source) => {
      caller.hasAwaited = true;
      return source;
    });
  }

  /** Returns what is held until the end, once. */
  takeHeld(): readonly Draft[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Number of drafts of a type that were published before the end. */
  count(type: string): number {
    return this.#counts.get(type) ?? 0;
  }

  /** Accepts nothing more: the function has ended. */
  close(): void {
    this.#isClosed = true;
  }

  /** Settles when nothing is being published; undefined when nothing is. */
  get pending(): Promise<unknown> | undefined {
    return this.#pending.size > 0 ? Promise.allSettled(this.#pending) : undefined;
  }

  /** The first failure that nothing has awaited. A run whose output is lost has not succeeded. */
  get lost(): unknown {
    return this.#failed.find(({ caller }) => !caller.hasAwaited)?.error;
  }

  async #publish(draft: Draft, options: RunPublishOptions): Promise<StoredArtifact | undefined> {
    const { agent, id } = this.#run.activation;
    const { key } = checkOptions(`agent ${agent.name}: publish`, optionsSchema, options);
    this.#assertOpen(draft);
    const before = key === undefined ? undefined : this.#byKey.get(key);
    if (before) return this.#sameType(key as string, draft, await before);
    const isAdmitted = agent.outputs?.admits(draft, this.count(draft.type)) ?? true;
    this.#counts.set(draft.type, this.count(draft.type) + 1);
    if (!isAdmitted) return undefined;
    if (key === undefined) return decoded(draft, await this.#post(draft));
    const publishing = this.#once(draft, KEY_MARK + JSON.stringify(["run", id, key]));
    this.#byKey.set(key, publishing);
    // A publish that failed may be repeated under its key.
    publishing.catch(() => this.#byKey.delete(key));
    return this.#sameType(key, draft, await publishing);
  }

  /** Publishes a draft unless an earlier attempt has published under the key. */
  async #once(draft: Draft, idempotencyKey: string): Promise<StoredArtifact> {
    const stored = await this.#deps.work.publishedUnder(idempotencyKey);
    return stored ? stored.artifact : this.#post(draft, idempotencyKey);
  }

  #sameType(key: string, draft: Draft, artifact: StoredArtifact): StoredArtifact {
    if (artifact.type === draft.type) return decoded(draft, artifact);
    throw new FlockError(
      "conflict",
      `Failed to publish \`${draft.type}\` from agent \`${this.#run.activation.agent.name}\`: its work has published a \`${artifact.type}\` under the key \`${key}\`. Give each artifact its own key.`,
    );
  }

  async #post(draft: Draft, idempotencyKey?: string): Promise<StoredArtifact> {
    const { journal, publisher, tracing } = this.#deps;
    if (journal.recovering) await journal.recovering.catch(() => {});
    this.#run.throwIfStopped();
    const origin: Origin = { ...originOf(this.#run.activation, draft), idempotencyKey };
    const publication = publisher.prepare(draft, origin);
    this.#run.begun?.ensure();
    const post = () => {
      tracing.publish([publication]);
      publisher.post(publication);
      return publisher.committed([publication], () => {
        this.published.push(publication.artifact);
        return publication.artifact;
      });
    };
    // A key that is refused fails only its own publish.
    return idempotencyKey === undefined ? post() : journal.transact(post);
  }

  #assertOpen(draft: Draft): void {
    const { agent, runId } = this.#run.activation;
    this.#run.throwIfStopped();
    if (this.#isClosed) {
      throw new FlockError(
        "run_ended",
        `Failed to publish from agent \`${agent.name}\`: run ${runId} has ended. Await everything that publishes before the function returns.`,
      );
    }
    assertMayPublish(agent, draft, "published");
  }
}

/** Returns an artifact of the draft's type with the payload that agents receive. */
function decoded({ artifactType }: Draft, artifact: StoredArtifact): StoredArtifact {
  return artifactType.isEncoded ? { ...artifact, payload: artifactType.decode(artifact.payload) } : artifact;
}

/** Returns the origin of what a run publishes. */
export function originOf({ agent, runId, correlationId, depth }: Activation, draft: Draft): Origin {
  const { name: producedBy, tags, visibility, outputs } = agent;
  return { producedBy, runId, correlationId, depth, tags, visibility: outputs?.visibilityOf(draft) ?? visibility };
}
