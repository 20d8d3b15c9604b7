import {
  type AgentInfo,
  type AnswerRequest,
  type CancelRequest,
  type CancelResult,
  type GraphSnapshot,
  type InvokeRequest,
  type InvokeResult,
  maySee,
  type OpenQuestion,
  OWNER,
  type PauseRequest,
  type PauseResult,
  type PreviewResult,
  type Principal,
  type PublishRequest,
  type PublishResult,
} from "@flock-ts/protocol";
import type { AnyArtifactType, Draft } from "../blackboard/artifact-type.ts";
import { FlockError } from "../core/errors.ts";
import type { Commands } from "../delivery/commands.ts";
import { type IdempotencyCache, KEY_MARK } from "./publishing/idempotency-cache.ts";
import { previewOf } from "./publishing/preview.ts";
import type { Published, PublishOptions } from "./publishing/published.ts";
import type { StoredQuestion } from "./questions/person-question.ts";
import type { Runtime } from "./runtime.ts";

/** The part of a flock that commands need. */
interface CommandedFlock {
  readonly log: { readonly head: number };
  readonly types: ReadonlyMap<string, AnyArtifactType>;
  publish(draft: Draft, options?: PublishOptions): Promise<Published>;
  cancel(what: CancelTarget, as: Principal): Promise<{ readonly cancelled: number; readonly seq: number }>;
  pause(agent?: string): Promise<{ readonly agents: readonly string[]; readonly seq: number }>;
  resume(agent?: string): Promise<{ readonly agents: readonly string[]; readonly seq: number }>;
  questions(as: Principal): readonly StoredQuestion[];
  agents(as: Principal): AgentInfo[];
  graph(as: Principal): GraphSnapshot;
  typesSeenBy(as: Principal): readonly AnyArtifactType[];
}

type CancelTarget = { readonly runId: string } | { readonly correlationId: string };

/** What {@link LocalCommands} needs besides the flock's public methods. */
interface Inside {
  readonly runtime: Runtime;
  readonly once: IdempotencyCache;
  /** Lets agents listen that have been declared and not yet been asked for. */
  readonly ready: () => Promise<void> | undefined;
}

/**
 * Does in a flock what comes over the wire from a principal: types and agents are names, payloads are unchecked, and
 * no principal learns of what it may not see. `seq` is where the effect shows in the events.
 */
export class LocalCommands implements Commands {
  readonly #flock: CommandedFlock;
  readonly #runtime: Runtime;
  readonly #once: IdempotencyCache;
  readonly #ready: () => Promise<void> | undefined;

  /** For the flock only: it is `wire` of a flock. */
  constructor(flock: CommandedFlock, { runtime, once, ready }: Inside) {
    this.#flock = flock;
    this.#runtime = runtime;
    this.#once = once;
    this.#ready = ready;
  }

  /**
   * Publishes what came over the wire from a principal: the type is a name, the payload unchecked. Its idempotency keys
   * are its own, and it learns only of agents whose runs it may see.
   * @throws FlockError `unknown_artifact_type`, or as `publish` does.
   */
  async publish(request: PublishRequest, as: Principal): Promise<{ seq: number; result: PublishResult }> {
    // Before the type is looked up, which an agent may be the first to name.
    await this.#ready();
    return resultFor(await this.#flock.publish(this.#draft(request, as), optionsOf(request, as)), as);
  }

  /**
   * What publishing something that came over the wire would do. Nothing is published, nothing changes: no gate takes
   * anything in. Conditions (`where`, `whereGroup`) are asked as a publish would ask them. What waits in gates is for
   * the owner alone: others learn only of agents that they may see and that this one artifact wakes, or not.
   * @throws FlockError as `publish` does.
   */
  async preview(request: PublishRequest, as: Principal): Promise<PreviewResult> {
    await this.#ready();
    const dryRuns = this.#runtime.preview(this.#draft(request, as), optionsOf(request, as));
    if (as.kind === "owner") return previewOf(dryRuns);
    const seen = new Set(this.#flock.agents(as).map(({ name }) => name));
    return previewOf(dryRuns.filter(({ subscription: { isSingle, agentId } }) => isSingle && seen.has(agentId)));
  }

  /** Invokes by names, as the wire has them. Throws as `invoke` and `publish` do. */
  async invoke(
    { agent_id, inputs, correlation_id, visibility }: InvokeRequest,
    as: Principal,
  ): Promise<{ seq: number; result: InvokeResult }> {
    await this.#ready();
    const drafts = inputs.map((input) => this.#draft(input, as));
    const options = { correlationId: correlation_id, visibility };
    const { seq, runId, correlationId } = await this.#runtime.invoke(agent_id, drafts, options, as);
    return { seq, result: { run_id: runId, correlation_id: correlationId, seq } };
  }

  /** Cancels by ids, as the wire has them, what a principal may see. */
  async cancel(
    { run_id, correlation_id }: CancelRequest,
    as: Principal,
  ): Promise<{ seq: number; result: CancelResult }> {
    const what = run_id === undefined ? { correlationId: correlation_id as string } : { runId: run_id };
    const { seq, cancelled } = await this.#flock.cancel(what, as);
    return { seq, result: { cancelled, seq } };
  }

  /** The open questions that a principal may see, as the wire tells them. */
  questions(as: Principal): OpenQuestion[] {
    return this.#flock.questions(as).map(({ id, correlationId, createdAt, payload }) => {
      const { activation_id: _, key: __, ...asked } = payload;
      return { id, ...asked, correlation_id: correlationId, created_at: createdAt };
    });
  }

  /**
   * Answers as it comes over the wire: the payload is unchecked. What a principal repeats under its `idempotency_key`, because it
   * has not heard of the first time, answers the same.
   * @throws FlockError `invalid_payload`, then the question stays open; `unknown_artifact_type` when the server has begun
   * again and the agent that asked has not yet asked again; or as `answer` does.
   */
  async answer(
    questionId: string,
    { payload, idempotency_key }: AnswerRequest,
    as: Principal,
  ): Promise<{ seq: number; result: PublishResult }> {
    await this.#ready();
    // A principal that may see the question may also see the type that it asks for.
    const draftFor = (answerType: string) => this.#draft({ artifact_type: answerType, payload }, OWNER);
    const key = idempotency_key === undefined ? undefined : answerKey(questionId, idempotency_key, as);
    const answer = () => this.#runtime.answer(questionId, draftFor, as, key);
    if (key === undefined) return resultFor(await answer(), as);
    return resultFor(await this.#once.publish(key, { draftFor, publish: answer }), as);
  }

  /**
   * Pauses by name, as the wire has it, for the owner alone.
   * @throws FlockError `not_allowed`, or as `pause` of the flock does.
   */
  pause({ agent_id }: PauseRequest, as: Principal): Promise<{ seq: number; result: PauseResult }> {
    return this.#pauseOrResume("pause", agent_id, as);
  }

  /** Resumes by name, as the wire has it, for the owner alone. Throws as `pause` does. */
  resume({ agent_id }: PauseRequest, as: Principal): Promise<{ seq: number; result: PauseResult }> {
    return this.#pauseOrResume("resume", agent_id, as);
  }

  async #pauseOrResume(what: "pause" | "resume", agent: string | undefined, as: Principal) {
    if (as.kind !== "owner")
      throw new FlockError("not_allowed", "Not allowed: only the owner can pause or resume agents.");
    const { agents, seq } = await this.#flock[what](agent);
    return { seq, result: { agents: [...agents], seq } };
  }

  /** As `graph` of the flock. */
  graph(as: Principal): GraphSnapshot {
    return this.#flock.graph(as);
  }

  #draft({ artifact_type, payload }: Pick<PublishRequest, "artifact_type" | "payload">, as: Principal): Draft {
    const type = this.#flock.types.get(artifact_type);
    if (type && (as.kind === "owner" || this.#flock.typesSeenBy(as).includes(type))) return type.parse(payload);
    const known = this.#flock.typesSeenBy(as).map(({ typeName }) => typeName);
    const hint =
      known.length === 0 ? "" : ` Known types: ${known.slice(0, 10).join(", ")}${known.length > 10 ? ", …" : "."}`;
    throw new FlockError("unknown_artifact_type", `Unknown artifact type: ${JSON.stringify(artifact_type)}.${hint}`);
  }
}

function optionsOf(
  { tags, correlation_id, visibility, idempotency_key }: PublishRequest,
  as: Principal,
): PublishOptions {
  return {
    ...(tags ? { tags } : {}),
    ...(correlation_id === undefined ? {} : { correlationId: correlation_id }),
    ...(visibility ? { visibility } : {}),
    ...(idempotency_key === undefined ? {} : { idempotencyKey: ownKey(idempotency_key, as) }),
  };
}

/** An idempotency key of one principal, which no key of another is equal to: no principal receives what another has published. */
function ownKey(key: string, as: Principal): string {
  if (as.kind !== "owner") return KEY_MARK + JSON.stringify([as.kind, as.tenant ?? null, as.name, key]);
  return key.startsWith(KEY_MARK) ? KEY_MARK + key : key;
}

/** The key of an answer, which no key of a publish is equal to, nor one of an answer to another question. */
function answerKey(questionId: string, key: string, as: Principal): string {
  return KEY_MARK + JSON.stringify(["answer", questionId, ownKey(key, as)]);
}

/** Reports a publish to its principal: of the agents that it woke, only those whose runs the principal may see. */
function resultFor(
  { seq, artifactId, correlationId, triggered }: Published,
  as: Principal,
): { seq: number; result: PublishResult } {
  const seen = triggered.filter(({ visibility }) => maySee(as, visibility));
  return {
    seq,
    result: {
      artifact_id: artifactId,
      correlation_id: correlationId,
      triggered_agents: seen.map(({ agentId }) => agentId),
      seq,
    },
  };
}
