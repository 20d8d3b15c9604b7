import type { StepKind } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { RunLog } from "../core/logger.ts";
import type { Redaction } from "../core/redaction.ts";
import type { ReadableStore } from "../store/store.ts";
import type { AskOptions } from "./ask-options.ts";
import type { Model } from "./model.ts";
import type { Prices } from "./prices.ts";

/** How a piece of a stream is labelled. */
export interface StreamOptions {
  /** What the piece is; default `text`. */
  readonly outputType?: string;
  /** The artifact type being written, when there is one. */
  readonly artifactType?: string;
}

/** A call of a model or a tool, while it goes on. */
export interface RunStep {
  /**
   * Adds to what this step has spent, such as tokens, by name, and so to what the run has. For a model whose price the flock
   * knows, `cost` is added to `input_tokens` and `output_tokens`.
   */
  addUsage(amounts: Readonly<Record<string, number>>): void;
}

/**
 * What a run knows of itself, and what it can do beside returning its output.
 * @typeParam Given what its context providers give: see `.context` of an agent.
 */
export interface RunContext<Given = Readonly<Record<string, unknown>>> {
  /** The agent's name. */
  readonly agent: string;
  readonly runId: string;
  /** The workflow it belongs to: that of the first artifact it consumes. */
  readonly correlationId: string;
  /** The same for every attempt at the same work: a key for effects outside that must not happen twice. */
  readonly activationId: string;
  /** 1 for the first try; more when a run was interrupted by a crash or a shutdown, or has failed, and begins again. */
  readonly attempt: number;
  /** Aborts when the run is cancelled, takes too long, or the flock shuts down. Give it to everything that takes time. */
  readonly signal: AbortSignal;
  /** The consumed artifacts with all that is known of them, in the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
  /** The blackboard, to read: as much of it as the agent may see. */
  readonly store: ReadableStore;
  /** What the agent's context providers have given for this run, by their names. Empty without any. */
  readonly given: Given;
  /** Its lines carry `agent`, `run_id`, `correlation_id` and `activation_id`, and `trace_id` and `span_id` when the run is traced. */
  readonly log: RunLog;
  /** The agent's model, or the flock's, if there is one: for `ask` of `flock-ts/engines/ai`. */
  readonly model: Model | undefined;
  /** What keeps secrets from the model; undefined when the agent has turned that off. */
  readonly redaction: Redaction | undefined;
  /** What models cost, as the flock was told. Empty when it was not. */
  readonly prices: Prices;
  /** Adds to what the run has spent, such as tokens, by name: `agent_execution_completed` tells the sums. */
  addUsage(amounts: Readonly<Record<string, number>>): void;
  /**
   * Asks a person for an artifact of a type and resolves to its payload, however long that takes. The question stands on
   * the blackboard; while it is open the run leaves its place to others and its timeout stands still. A run that begins
   * again, after a crash say, finds the questions that it has asked, and their answers.
   * @throws FlockError `question_expired` when the deadline passes and there is no default, `question_wrong` when the key
   * stands for a question of another type, `invalid_options`.
   */
  askPerson<T extends AnyArtifactType>(type: T, asked: AskOptions<T>): Promise<PayloadOf<T>>;
  /**
   * Does a part of the work that takes time, such as a call of a model or of any other service, and shows it inside the run:
   * its events are `run_step_started` and `run_step_completed`. Agents with a model, and `ask`, do so by themselves. Resolves and rejects as `work` does.
   * @param name the model's id, or what else is called.
   */
  step<T>(kind: StepKind, name: string, work: (step: RunStep) => T | PromiseLike<T>): Promise<T>;
  /** Shows a piece of output to everyone who watches. Never waits. Does nothing once the run has ended. */
  stream(text: string, options?: StreamOptions): void;
}
