import {
  isStepCount,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  streamText,
  type TelemetryOptions,
  type ToolSet,
} from "ai";
import type { Model, ModelObject } from "../../agents/model.ts";
import type { Outputs } from "../../agents/outputs.ts";
import type { RunContext } from "../../agents/run-context.ts";
import type { ToolSource, Tools } from "../../agents/tools.ts";
import type { AnyArtifactType, Draft, DraftOf } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";
import { draftsOf } from "./answer.ts";
import { type AnswerSchema, answerSchemaOf } from "./answer-schema.ts";
import { explain, labelOf } from "./model-error.ts";
import { modelStepsOf } from "./model-steps.ts";
import { correctionOf, instructionsOf, messageOf } from "./prompt.ts";
import { redactedModel } from "./redacted-model.ts";
import { modelOf } from "./resolve-model.ts";
import { toolsOf } from "./tools.ts";

/** What goes with a question to a model. */
export interface AskOptions {
  /** Default: the agent's model, or the flock's. */
  readonly model?: Model | undefined;
  /** Who the model is, in a sentence. */
  readonly description?: string | undefined;
  /** What it is to do. */
  readonly instructions?: string | undefined;
  /** What it works on. Default: the consumed artifacts as JSON. */
  readonly input?: string | undefined;
  /** What it knows beside that, as JSON. Default: what the agent's context providers have given (`context.given`). */
  readonly given?: Readonly<Record<string, unknown>> | undefined;
  /** What it may call: tools of the AI SDK, by name, or those of a server. Default: none. */
  readonly tools?: Tools | ToolSource | undefined;
}

/**
 * Asks a model for an artifact, inside an agent's run: it streams as it comes, is validated against the type's schema,
 * asked for once more when it does not fit, and ends with the run. Tokens count as the run's usage.
 *
 * @throws FlockError `model_answer_invalid`, `model_failed`, `model_refused` or `model_unavailable`.
 *
 * @example
 * const { payload } = await ask(context, Judgement, { instructions: "Is this review of any help to its author?" });
 */
export async function ask<T extends AnyArtifactType>(
  context: RunContext,
  type: T,
  options: AskOptions = {},
): Promise<DraftOf<T>> {
  const { tools, ...rest } = options;
  const [draft] = await askForEach(context, [type], { ...rest, sources: tools ? [tools] : [] });
  return draft as DraftOf<T>;
}

/** How often a model is asked when its answers cannot be used: who fails twice knows no better the third time. */
const MAX_ANSWERS = 2;

/** How often a model may call tools and think again before it has to answer. */
const MAX_STEPS = 16;

/**
 * How often a request is repeated that a provider did not take: when it says 408, 409, 429 or 5xx, or cannot be reached.
 * The AI SDK waits as long as `retry-after` says, when that is less than a minute, and otherwise 2, 4 and 8 seconds.
 */
const MAX_RETRIES = 3;

/**
 * One artifact of each type from one answer, or as many as `outputs` wants; what these do not let through is told to the
 * model, as what does not fit a schema. Throws as {@link ask} does.
 */
export async function askForEach(
  context: RunContext,
  types: readonly AnyArtifactType[],
  options: Omit<AskOptions, "tools"> & {
    readonly sources: readonly (Tools | ToolSource)[];
    readonly outputs?: Outputs | undefined;
  },
): Promise<Draft[]> {
  const model = await modelOf(options.model ?? context.model, context.agent);
  const answer = answerSchemaOf(types, options.outputs?.lists);
  const given = options.given ?? context.given;
  const hasContext = Object.keys(given).length > 0;
  const request: Request = {
    context,
    model,
    told: redactedModel(model, context.redaction),
    answer,
    instructions: instructionsOf({ ...options, agent: context.agent, answer, hasContext }),
    tools: await toolsOf(options.sources, context),
  };
  const message = messageOf({ input: options.input ?? context.artifacts, given }, context.redaction);
  const messages: ModelMessage[] = [{ role: "user", content: message }];
  for (let count = 1; ; count += 1) {
    const { text, isCutOff, said } = await stream(request, messages);
    try {
      const drafts = draftsOf(text, answer);
      // All of them are given back: the run checks what it was given, whoever made it.
      options.outputs?.check(drafts);
      return drafts;
    } catch (error) {
      if (!(error instanceof FlockError)) throw error;
      const problem = isCutOff ? "it was cut off at the limit of output tokens: it must be shorter" : error.message;
      if (count === MAX_ANSWERS) {
        throw new FlockError(
          "model_answer_invalid",
          `${labelOf(model)} gave ${count} answers that cannot be used; of the last: ${problem}`,
          { issues: error.issues, cause: error },
        );
      }
      context.log.warn({ problem }, "a model's answer did not fit");
      context.stream(`\nThis does not fit (${problem}). Asking again.\n`, { outputType: "retry" });
      messages.push(...said, { role: "user", content: correctionOf(problem) });
    }
  }
}

interface Request {
  readonly context: RunContext;
  readonly model: ModelObject;
  /** The same, as it is asked: without secrets. */
  readonly told: LanguageModel;
  readonly answer: AnswerSchema;
  readonly instructions: string;
  readonly tools: ToolSet;
}

interface Answer {
  /** The text of the last step: after the tools have been called. */
  readonly text: string;
  /** Whether the model had more to say than it may. */
  readonly isCutOff: boolean;
  /** The model's side of the conversation, to go on from. */
  readonly said: readonly ModelMessage[];
}

/** Lets a model answer once, and shows what it writes as it comes. */
async function stream(
  { context, model, told, answer, instructions, tools }: Request,
  messages: ModelMessage[],
): Promise<Answer> {
  const [type, ...others] = answer.types;
  const label = { outputType: "json", ...(type && others.length === 0 ? { artifactType: type.typeName } : {}) };
  const strict = { strictJsonSchema: answer.isStrict };
  const steps = modelStepsOf(context, model);
  const result = streamText({
    model: told,
    instructions,
    messages,
    tools,
    stopWhen: isStepCount(MAX_STEPS),
    output: rawOutput(answer),
    maxRetries: MAX_RETRIES,
    abortSignal: context.signal,
    telemetry: steps.telemetry as TelemetryOptions,
    providerOptions: { openai: strict, openaiCompatible: strict },
    // Errors come as parts of the stream; without this they would be printed as well.
    onError: () => {},
  });
  let text = "";
  let finishReason = "other";
  try {
    for await (const part of result.stream) {
      switch (part.type) {
        case "start-step":
          text = "";
          break;
        case "text-delta":
          text += part.text;
          context.stream(part.text, label);
          break;
        case "reasoning-delta":
          context.stream(part.text, { outputType: "reasoning" });
          break;
        case "tool-call":
          context.stream(`\n${part.toolName}(${JSON.stringify(part.input)})\n`, { outputType: "tool_call" });
          break;
        case "tool-error":
          // The model is told as well, and may try something else.
          context.log.warn({ err: part.error, tool: part.toolName }, "a tool failed");
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
    throw explain(error, model, text);
  }
  // A stream may also end without a word.
  steps.failed(context.signal.reason ?? new Error("the answer ended too early"));
  context.signal.throwIfAborted();
  switch (finishReason) {
    case "content-filter":
      throw new FlockError("model_refused", `${labelOf(model)} refused to answer${text ? `: ${text.trim()}` : ""}`);
    case "tool-calls":
      throw new FlockError(
        "model_failed",
        `${labelOf(model)} called tools ${MAX_STEPS} times without coming to an answer`,
      );
    case "error":
    case "interrupted":
      throw explain(new Error("the answer ended too early"), model, text);
  }
  const said = (await result.responseMessages).filter(({ content }) => content.length > 0);
  return { text, isCutOff: finishReason === "length", said };
}

/**
 * Asks providers for an object, and lets its text through as it comes. The AI SDK's own parses all of it again at each
 * token, which makes long answers cost by the square of their length, and holds back what does not parse yet.
 */
function rawOutput({ name, jsonSchema: schema }: AnswerSchema) {
  return {
    ...Output.object({ name, schema: jsonSchema(schema) }),
    parsePartialOutput: async ({ text }: { text: string }) => ({ partial: text.length as never }),
  };
}
