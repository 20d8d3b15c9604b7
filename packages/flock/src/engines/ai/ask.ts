import {
  isStepCount,
  jsonSchema,
  type ModelMessage,
  Output,
  streamText,
  type TelemetryOptions,
  type ToolSet,
} from "ai";
import { type ModelChoice, type ModelObject, type ModelOptions, modelOptionsSchema } from "../../agents/model.ts";
import type { Outputs } from "../../agents/outputs.ts";
import type { RunContext } from "../../agents/run-context.ts";
import {
  checkTools,
  type DeclaredTools,
  type ToolOptions,
  type ToolSource,
  type Tools,
  toolOptionsSchema,
} from "../../agents/tools.ts";
import type { AnyArtifactType, Draft, DraftOf } from "../../blackboard/artifact-type.ts";
import { systemClock } from "../../core/clock.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { stepsOf } from "../../runtime/runs/steps.ts";
import { draftsOf } from "./answer.ts";
import { type AnswerSchema, answerSchemaOf } from "./answer-schema.ts";
import { guardedModel } from "./guarded-model.ts";
import { explain, failureOf, labelOf, mayAnotherAnswer } from "./model-error.ts";
import { modelStepsOf } from "./model-steps.ts";
import { correctionOf, instructionsOf, messageOf } from "./prompt.ts";
import { resolveModels } from "./resolve-model.ts";
import { toolsOf } from "./tools.ts";

/** Options of {@link ask}. */
export interface AskOptions extends ToolOptions, ModelOptions {
  /** Default: the agent's model, or the flock's. */
  readonly model?: ModelChoice | undefined;
  /** The role of the model, in a sentence. Default: none. */
  readonly description?: string | undefined;
  /** The task of the model. Default: none. */
  readonly instructions?: string | undefined;
  /** The input. Default: the consumed artifacts as JSON. */
  readonly input?: string | undefined;
  /** Additional context as JSON. Default: the results of the agent's context providers (`context.given`). */
  readonly given?: Readonly<Record<string, unknown>> | undefined;
  /** AI SDK tools by name, or the tools of a server. Default: none. */
  readonly tools?: Tools | ToolSource | undefined;
}

/**
 * Asks a model for an artifact inside an agent's run. The answer is streamed and validated against the type's schema.
 * An invalid answer is requested once more.
 * The request ends with the run, and its tokens count as usage of the run.
 * @throws FlockError `model_answer_invalid`, `model_failed`, `model_refused` or `model_unavailable`.
 *
 * @example
 * const { payload } = await ask(context, Judgement, { instructions: "Is this review useful to its author?" });
 */
export async function ask<T extends AnyArtifactType>(
  context: RunContext,
  type: T,
  options: AskOptions = {},
): Promise<DraftOf<T>> {
  const { tools, maxResultCharacters, ...rest } = options;
  if (tools) checkTools(`\`ask\` in agent \`${context.agent}\``, tools);
  const limits = checkOptions("ask", toolOptionsSchema, { maxResultCharacters });
  checkOptions("ask", modelOptionsSchema, { idleTimeout: options.idleTimeout });
  const [draft] = await askForEach(context, [type], { ...rest, tools: tools ? [{ tools, ...limits }] : [] });
  return draft as DraftOf<T>;
}

/** Maximum number of answers: a model that fails twice rarely succeeds the third time. */
const MAX_ANSWERS = 2;

/**
 * Longest time between two pieces of an answer, in ms. Models that think without reporting it may need a minute before
 * the first one.
 */
const IDLE_TIMEOUT_MS = 90_000;

/** Maximum number of steps with tool calls before the model must answer. */
const MAX_STEPS = 16;

/**
 * Maximum number of retries of a request that fails with 408, 409, 429 or 5xx, or without a connection.
 * The AI SDK waits for `retry-after` if that is less than a minute, otherwise 2, 4 and 8 seconds.
 */
const MAX_RETRIES = 3;

/**
 * Asks for one artifact of each type in one answer, or as many as `outputs` requires. If `outputs` rejects the drafts,
 * the model is asked again. Throws like {@link ask}.
 */
export async function askForEach(
  context: RunContext,
  types: readonly AnyArtifactType[],
  options: Omit<AskOptions, "tools" | keyof ToolOptions> & {
    readonly tools: readonly DeclaredTools[];
    readonly outputs?: Outputs | undefined;
  },
): Promise<Draft[]> {
  const models = await resolveModels(options.model ?? context.model, context.agent);
  const answer = answerSchemaOf(types, options.outputs?.lists);
  const given = options.given ?? context.given;
  const hasContext = Object.keys(given).length > 0;
  const calls = { started: 0 };
  const request: Request = {
    context,
    models,
    idleTimeout: options.idleTimeout ?? context.modelOptions?.idleTimeout ?? IDLE_TIMEOUT_MS,
    answer,
    instructions: instructionsOf({ ...options, agent: context.agent, answer, hasContext }),
    tools: await toolsOf(options.tools, context, calls),
    calls,
  };
  const message = messageOf({ input: options.input ?? context.artifacts, given }, context.redaction);
  const chain = new ModelChain(request);
  const messages: ModelMessage[] = [{ role: "user", content: message }];
  for (let count = 1; ; count += 1) {
    const { text, isCutOff, reply } = await chain.answer(messages);
    try {
      const drafts = draftsOf(text, answer);
      // All drafts are returned: the run checks them again, like those of a function.
      options.outputs?.check(drafts);
      return drafts;
    } catch (error) {
      if (!(error instanceof FlockError)) throw error;
      const problem = isCutOff ? "it was truncated at the limit of output tokens and must be shorter" : error.message;
      if (count === MAX_ANSWERS) {
        throw new FlockError(
          "model_answer_invalid",
          `Model \`${labelOf(chain.model)}\` failed: ${count} answers were invalid. Last problem: ${problem}`,
          { issues: error.issues, cause: error },
        );
      }
      context.log.warn({ problem }, "model answer was invalid");
      context.stream(`\nInvalid answer (${problem}). Asking again.\n`, { outputType: "retry" });
      messages.push(...reply, { role: "user", content: correctionOf(problem) });
    }
  }
}

interface Request {
  readonly context: RunContext;
  /** The preferred one first. Not empty. */
  readonly models: readonly ModelObject[];
  /** Longest time between two pieces of an answer, in ms. */
  readonly idleTimeout: number;
  readonly answer: AnswerSchema;
  readonly instructions: string;
  readonly tools: ToolSet;
  /** How many tool calls have started. */
  readonly calls: { readonly started: number };
}

interface Answer {
  /** Text of the last step, after all tool calls. */
  readonly text: string;
  /** Whether the answer was truncated at the token limit. */
  readonly isCutOff: boolean;
  /** The model's messages, to continue the conversation. */
  readonly reply: readonly ModelMessage[];
}

/** A model failed to answer, and another one may. */
class ModelFailure extends Error {
  readonly failure: FlockError;
  /** Whether a part of the answer was streamed. */
  readonly hasStreamed: boolean;
  /** The messages of the steps before: tool calls with their results. */
  readonly done: readonly ModelMessage[];

  constructor(failure: FlockError, hasStreamed: boolean, done: readonly ModelMessage[]) {
    super(failure.message);
    this.failure = failure;
    this.hasStreamed = hasStreamed;
    this.done = done;
  }
}

/** Asks the models of a run in order, until one answers. The run stays with that one. */
class ModelChain {
  readonly #request: Request;
  readonly #failures: FlockError[] = [];

  constructor(request: Request) {
    this.#request = request;
  }

  /** The model that is being asked. */
  get model(): ModelObject {
    return this.#request.models[this.#failures.length] as ModelObject;
  }

  async answer(messages: readonly ModelMessage[]): Promise<Answer> {
    const { context, models } = this.#request;
    const done: ModelMessage[] = [];
    for (;;) {
      // A model that has a substitute is not asked again.
      const isLast = this.#failures.length === models.length - 1;
      const maxRetries = isLast ? MAX_RETRIES : 0;
      const all = [...messages, ...done];
      const known = this.#failures.length === 0 ? all : withoutReasoning(all);
      try {
        const answer = await stream({ ...this.#request, model: this.model, maxRetries }, known);
        return { ...answer, reply: [...done, ...answer.reply] };
      } catch (error) {
        if (!(error instanceof ModelFailure)) throw error;
        const { failure, hasStreamed } = error;
        done.push(...error.done);
        if (isLast) throw failureOf([...this.#failures, failure]);
        this.#failures.push(failure);
        context.log.warn({ err: failure, next: labelOf(this.model) }, "model failed; asking the next one");
        if (hasStreamed)
          context.stream(`\n${failure.message}. Asking \`${labelOf(this.model)}\`.\n`, { outputType: "retry" });
      }
    }
  }
}

/** Removes what only the model that wrote it can read. */
function withoutReasoning(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message) => {
    if (message.role !== "assistant" || typeof message.content === "string") return [message];
    const content = message.content.filter(({ type }) => type !== "reasoning");
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}

/** Requests one answer and streams its text. */
async function stream(
  {
    context,
    model,
    maxRetries,
    idleTimeout,
    answer,
    instructions,
    tools,
    calls,
  }: Request & { readonly model: ModelObject; readonly maxRetries: number },
  messages: ModelMessage[],
): Promise<Answer> {
  const [type, ...others] = answer.types;
  const label = { outputType: "json", ...(type && others.length === 0 ? { artifactType: type.typeName } : {}) };
  const strict = { strictJsonSchema: answer.isStrict };
  const steps = modelStepsOf(context, model);
  const done: ModelMessage[] = [];
  let answeredCalls = calls.started;
  const result = streamText({
    model: guardedModel(model, {
      redaction: context.redaction,
      idleTimeout,
      clock: stepsOf(context)?.run.clock ?? systemClock,
    }),
    instructions,
    messages,
    tools,
    stopWhen: isStepCount(MAX_STEPS),
    output: rawOutput(answer),
    maxRetries,
    abortSignal: context.signal,
    telemetry: steps.telemetry as TelemetryOptions,
    providerOptions: { openai: strict, openaiCompatible: strict },
    onStepEnd: ({ response, finishReason: reason }) => {
      if (reason !== "tool-calls") return;
      done.push(...response.messages);
      answeredCalls = calls.started;
    },
    // Errors arrive as parts of the stream; by default, the SDK would also print them.
    onError: () => {},
  });
  let text = "";
  let finishReason = "other";
  let hasStreamed = false;
  const failed = (error: unknown): Error => {
    const failure = explain(error, model, text);
    // The results of this step's calls are lost: another model would call the tools again.
    if (calls.started > answeredCalls || !mayAnotherAnswer(error)) return failure;
    return new ModelFailure(failure, hasStreamed, done);
  };
  try {
    for await (const part of result.stream) {
      switch (part.type) {
        case "start-step":
          text = "";
          break;
        case "text-delta":
          text += part.text;
          hasStreamed = true;
          context.stream(part.text, label);
          break;
        case "reasoning-delta":
          context.stream(part.text, { outputType: "reasoning" });
          break;
        case "tool-call":
          context.stream(`\n${part.toolName}(${JSON.stringify(part.input)})\n`, { outputType: "tool_call" });
          break;
        case "tool-error":
          // The model has called a tool that does not exist, or with arguments that do not fit. It receives the error.
          context.log.warn({ err: part.error, tool: part.toolName }, "tool call failed");
          break;
        case "finish":
          finishReason = part.finishReason;
          break;
        case "error":
          throw part.error;
      }
    }
  } catch (error) {
    steps.failed(error);
    context.signal.throwIfAborted();
    throw failed(error);
  }
  // A stream may also end without a final part.
  steps.failed(context.signal.reason ?? new Error("the answer was incomplete"));
  context.signal.throwIfAborted();
  switch (finishReason) {
    case "content-filter":
      throw new FlockError(
        "model_refused",
        `Model \`${labelOf(model)}\` refused to answer${text ? `: ${text.trim()}` : ""}`,
      );
    case "tool-calls":
      throw new FlockError(
        "model_failed",
        `Model \`${labelOf(model)}\` failed: it called tools in ${MAX_STEPS} steps without answering`,
      );
    case "error":
    case "interrupted":
      throw failed(new Error("the answer was incomplete"));
  }
  const reply = (await result.responseMessages).filter(({ content }) => content.length > 0);
  return { text, isCutOff: finishReason === "length", reply };
}

/**
 * Requests an object and streams its raw text. The AI SDK's own output parses the whole text again at each token, which
 * takes quadratic time, and holds back incomplete JSON.
 */
function rawOutput({ name, jsonSchema: schema }: AnswerSchema) {
  return {
    ...Output.object({ name, schema: jsonSchema(schema) }),
    parsePartialOutput: async ({ text }: { text: string }) => ({ partial: text.length as never }),
  };
}
