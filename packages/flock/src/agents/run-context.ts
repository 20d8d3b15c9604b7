import type { StepKind } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, Draft, PayloadOf } from "../blackboard/artifact-type.ts";
import type { RunLog } from "../core/logger.ts";
import type { Redaction } from "../core/redaction.ts";
import type { ReadableStore } from "../store/store.ts";
import type { AskOptions } from "./ask-options.ts";
import type { ModelChoice, ModelOptions } from "./model.ts";
import type { Prices } from "./prices.ts";

/** Labels of a streamed chunk. */
export interface StreamOptions {
  /** Kind of the chunk. Default: `text`. */
  readonly outputType?: string;
  /** Artifact type that is being written, if there is one. Default: none. */
  readonly artifactType?: string;
}

/** Options of a publish within a run. */
export interface RunPublishOptions {
  /**
   * Publishes once, however often the work is attempted: a later attempt receives the artifact of the first one, even
   * if its own draft differs. Keys belong to the work ({@link RunContext.activationId}). Default: none.
   */
  readonly key?: string;
  /** Holds the draft until the run ends. Default: false. */
  readonly atEnd?: boolean;
}

/** A draft as stored on the blackboard. */
export type StoredOf<D extends Draft> =
  D extends Draft<infer Name, infer Payload> ? StoredArtifact<Name, Payload> : never;

/** A call of a model or a tool while it is in progress. */
export interface RunStep {
  /**
   * Adds named amounts, such as tokens, to the usage of this step and of the run. For a model with a known price,
   * `cost` is added for `input_tokens` and `output_tokens`.
   */
  addUsage(amounts: Readonly<Record<string, number>>): void;
}

/**
 * The state of a run and its actions, apart from returning output.
 * @typeParam Given the results of its context providers; see `.context` of an agent.
 * @typeParam Out the drafts that the agent may publish.
 */
export interface RunContext<Given = Readonly<Record<string, unknown>>, Out extends Draft = Draft> {
  /** The agent's name. */
  readonly agent: string;
  readonly runId: string;
  /** Id of its workflow, from the first artifact it consumes. */
  readonly correlationId: string;
  /** The same for every attempt at the same work. Use it as an idempotency key for external effects. */
  readonly activationId: string;
  /** 1 for the first attempt; higher after a failure, a crash or a shutdown. */
  readonly attempt: number;
  /** Aborts when the run is cancelled or times out, or the flock shuts down. Pass it to everything that takes time. */
  readonly signal: AbortSignal;
  /** The consumed artifacts with their metadata, in order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
  /** Reads the blackboard, limited to what the agent may see. */
  readonly store: ReadableStore;
  /** Results of the agent's context providers by name. Empty without providers. */
  readonly given: Given;
  /**
   * Logger with the fields `agent`, `run_id`, `correlation_id` and `activation_id`; for a traced run also `trace_id`
   * and `span_id`.
   */
  readonly log: RunLog;
  /** The agent's model or the flock's, if there is one, for `ask` of `flock-ts/engines/ai`. */
  readonly model: ModelChoice | undefined;
  /** Options of the agent's model. Empty by default. */
  readonly modelOptions: ModelOptions;
  /** Hides secrets from the model; undefined when the agent has turned redaction off. */
  readonly redaction: Redaction | undefined;
  /** The flock's model prices. Empty by default. */
  readonly prices: Prices;
  /** Adds named amounts, such as tokens, to the run's usage. `agent_execution_completed` reports the sums. */
  addUsage(amounts: Readonly<Record<string, number>>): void;
  /**
   * Asks a person for an artifact of a type and resolves to its payload. Waits without limit, unless a deadline is set.
   * While the question is open, the run releases its concurrency slot and its timeout is paused. After a crash, the
   * restarted run finds its earlier questions and answers.
   *
   * @example
   * const { approved } = await context.askPerson(Approval, { question: "Publish this?", details: draft, deadline: 60_000 });
   *
   * @throws FlockError `question_expired` when the deadline passes without a default.
   * @throws FlockError `question_wrong` when the key belongs to a question of another type.
   * @throws FlockError `invalid_options`.
   */
  askPerson<T extends AnyArtifactType>(type: T, asked: AskOptions<T>): Promise<PayloadOf<T>>;
  /**
   * Publishes a draft before the run ends, and triggers the agents that consume it. The artifact belongs to the same
   * workflow, and the rules of `.publishes(…)` apply: types, `fanOut`, `where`, `validate` and visibility.
   * Resolves to the artifact when it is committed; undefined when `where` drops the draft.
   *
   * The artifact stays if the run fails later, and another attempt publishes again. With a `key`, it does not. If a
   * publish fails and nothing awaits it, the run fails with its error.
   *
   * @example
   * const outline = await context.publish(Outline({ chapters }), { key: "outline" });
   *
   * @throws FlockError `wrong_output` when the agent may not publish the draft, `run_ended` after the run's end.
   * @throws FlockError `conflict` when the work has published another type under the key.
   * @throws the signal's reason when the run is stopped.
   */
  publish<D extends Out>(
    draft: D,
    options?: RunPublishOptions & { readonly atEnd?: false },
  ): Promise<StoredOf<D> | undefined>;
  /**
   * Adds a draft to the run's output: it is published with the drafts that the function returns, in the commit of the
   * run's end, and not at all if the run fails.
   *
   * @example
   * context.publish(Note({ text: "two sources disagree" }), { atEnd: true });
   *
   * @throws FlockError `wrong_output` or `run_ended`.
   */
  publish(draft: Out, options: { readonly atEnd: true }): void;
  /** The artifacts that the run has published before its end, in the order of their commits. */
  readonly published: readonly StoredArtifact[];
  /**
   * Performs work that takes time, such as a call of a model or another service, and reports it as a step of the run.
   * Emits `run_step_started` and `run_step_completed`. Agents with a model, and `ask`, do this automatically. Resolves
   * and rejects like `work`.
   * @param name the model's id or the name of the called service.
   */
  step<T>(kind: StepKind, name: string, work: (step: RunStep) => T | PromiseLike<T>): Promise<T>;
  /** Streams a chunk of output to subscribers without waiting. Has no effect after the run has ended. */
  stream(text: string, options?: StreamOptions): void;
}
