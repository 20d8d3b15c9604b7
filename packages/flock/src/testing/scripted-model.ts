import { AssertionError } from "node:assert";
import { Draft } from "../blackboard/artifact-type.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { FlockError } from "../core/errors.ts";
import type { OfflineModel } from "../engines/offline/offline-model.ts";

type CallOptions = Parameters<OfflineModel["doStream"]>[0];
type StreamPart =
  Awaited<ReturnType<OfflineModel["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part : never;
type Finish = Extract<StreamPart, { type: "finish" }>;

/** A call of a scripted model. */
export interface ScriptedCall {
  /** Number of the call, from 1. */
  readonly number: number;
  /** The system prompt. */
  readonly instructions: string;
  /** The last user message: the consumed artifacts as JSON, or the problem of the last answer. */
  readonly input: string;
  /** Names of the available tools. */
  readonly tools: readonly string[];
  /** The complete call of the AI SDK. */
  readonly options: CallOptions;
}

/** An answer with all its properties. */
export interface ScriptedTurn {
  /** Text of the answer, in one or several chunks. Default: nothing. */
  readonly text?: string | readonly string[];
  /** Tool calls; the model is then called again with the results. Default: none. */
  readonly tools?: readonly { readonly name: string; readonly input: unknown }[];
  /** Error that breaks the stream after the text. Default: none. */
  readonly error?: Error;
  /** Delay before each chunk, in milliseconds of the model's clock. Default: 0. */
  readonly delayMs?: number;
  /** Finish reason. Default: `stop`, or `tool-calls` with tool calls. */
  readonly finishReason?: Finish["finishReason"]["unified"];
  /** Usage in tokens. Default: 0 and 0. */
  readonly usage?: { readonly input?: number; readonly output?: number };
}

/**
 * One answer: a text, one or several drafts, an error or a {@link ScriptedTurn}. It can also be a function of the call
 * that returns one of these.
 */
export type ScriptedAnswer = ScriptedReply | ((call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>);

/** An answer that is not a function; see {@link ScriptedAnswer}. */
export type ScriptedReply = string | Draft | readonly Draft[] | Error | ScriptedTurn;

/** Options of {@link scriptedModel}. */
export interface ScriptedModelOptions {
  /** Clock of `delayMs`. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** An AI SDK model that returns the answers of a test. */
export type ScriptedModel = OfflineModel & {
  /** Calls so far. */
  readonly calls: readonly ScriptedCall[];
  /**
   * Checks that all answers were used.
   * @throws AssertionError when answers are left.
   */
  assertUsedUp(): void;
};

/**
 * Creates a language model that returns the given answers in order and records its calls; or one that computes each
 * answer with a function. A call without an answer fails its run.
 *
 * @throws FlockError `invalid_options` when the script is neither a list nor a function.
 *
 * @example
 * const model = scriptedModel([Pizza({ name: "Truffle", toppings: ["truffle"] }), new Error("overloaded")]);
 * const flock = new Flock({ model });
 */
export function scriptedModel(
  script: readonly ScriptedAnswer[] | ((call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>),
  { clock = systemClock }: ScriptedModelOptions = {},
): ScriptedModel {
  if (typeof script !== "function" && !Array.isArray(script)) {
    throw new FlockError(
      "invalid_options",
      "Invalid script for `scriptedModel`: it must be a list of answers or a function of the call.",
    );
  }
  const calls: ScriptedCall[] = [];
  const next = async (options: CallOptions): Promise<ScriptedTurn> => {
    options.abortSignal?.throwIfAborted();
    const call = callOf(options, calls.length + 1);
    calls.push(call);
    let answer: ScriptedAnswer | undefined;
    if (typeof script === "function") answer = script;
    else if (call.number <= script.length) answer = script[call.number - 1];
    if (answer === undefined) {
      throw new FlockError(
        "model_failed",
        `No scripted answer for call ${call.number}: the script has ${script.length} ${script.length === 1 ? "answer" : "answers"}. Input: ${short(call.input)}`,
      );
    }
    const reply = typeof answer === "function" ? await answer(call) : answer;
    if (reply instanceof Error) throw reply;
    return turnOf(reply, options);
  };
  return {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "script",
    supportedUrls: {},
    calls,
    assertUsedUp() {
      if (typeof script === "function" || calls.length >= script.length) return;
      const left = script
        .slice(calls.length)
        .map((answer) => short(typeof answer === "function" ? "a function" : describe(answer)));
      throw new AssertionError({
        message: `${left.length} of ${script.length} scripted answers were not requested: ${left.join("; ")}`,
        operator: "assertUsedUp",
        stackStartFn: this.assertUsedUp,
      });
    },
    async doGenerate(options) {
      const content: Awaited<ReturnType<OfflineModel["doGenerate"]>>["content"] = [];
      let text = "";
      let finish: Finish | undefined;
      for await (const part of partsOf(await next(options), clock, options.abortSignal)) {
        if (part.type === "text-delta") text += part.delta;
        else if (part.type === "tool-call") content.push(part);
        else if (part.type === "finish") finish = part;
      }
      if (text !== "") content.unshift({ type: "text", text });
      const { finishReason, usage } = finish as Finish;
      return { content, finishReason, usage, warnings: [] };
    },
    async doStream(options) {
      const turn = await next(options);
      return { stream: streamOf(partsOf(turn, clock, options.abortSignal)) };
    },
  };
}

function callOf(options: CallOptions, number: number): ScriptedCall {
  const said = options.prompt.map(({ role, content }) => ({
    role,
    text:
      typeof content === "string"
        ? content
        : content.map((part) => (part.type === "text" ? part.text : JSON.stringify(part))).join("\n"),
  }));
  return {
    number,
    instructions: said.flatMap(({ role, text }) => (role === "system" ? text : [])).join("\n"),
    input: said.at(-1)?.text ?? "",
    tools: (options.tools ?? []).map(({ name }) => name),
    options,
  };
}

function turnOf(reply: Exclude<ScriptedReply, Error>, { responseFormat }: CallOptions): ScriptedTurn {
  if (typeof reply === "string") return { text: reply };
  if (!(reply instanceof Draft) && !Array.isArray(reply)) return reply as ScriptedTurn;
  const drafts = (reply instanceof Draft ? [reply] : reply) as readonly Draft[];
  const byType = Object.fromEntries(drafts.map(({ type, stored }) => [type, stored]));
  const schema = responseFormat?.type === "json" ? responseFormat.schema : undefined;
  const keys = Object.keys(schema?.properties ?? {});
  // An agent that publishes one type expects the payload alone, if that is an object.
  const isKeyed = drafts.length > 1 || (keys.length === 1 && keys[0] === drafts[0]?.type);
  return { text: JSON.stringify(isKeyed ? byType : drafts[0]?.stored) };
}

async function* partsOf(
  { text = [], tools = [], error, delayMs = 0, finishReason, usage = {} }: ScriptedTurn,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamPart> {
  yield { type: "stream-start", warnings: [] };
  const pieces = typeof text === "string" ? [text] : text;
  if (pieces.length > 0) {
    yield { type: "text-start", id: "0" };
    for (const delta of pieces) {
      await pause(clock, delayMs, signal);
      yield { type: "text-delta", id: "0", delta };
    }
  }
  if (error) throw error;
  if (pieces.length > 0) yield { type: "text-end", id: "0" };
  for (const [index, { name, input }] of tools.entries()) {
    await pause(clock, delayMs, signal);
    yield { type: "tool-call", toolCallId: `scripted-${index}`, toolName: name, input: JSON.stringify(input) };
  }
  const unified = finishReason ?? (tools.length > 0 ? "tool-calls" : "stop");
  const { input = 0, output = 0 } = usage;
  yield {
    type: "finish",
    finishReason: { unified, raw: unified },
    usage: {
      inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: output, text: output, reasoning: 0 },
    },
  };
}

function streamOf(parts: AsyncGenerator<StreamPart>): ReadableStream<StreamPart> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await parts.return(undefined)),
  });
}

async function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms > 0) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = clock.after(ms, resolve, true);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    stop();
  }
  signal?.throwIfAborted();
}

function describe(reply: ScriptedReply): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Error) return String(reply);
  if (reply instanceof Draft) return `${reply.type} ${JSON.stringify(reply.stored)}`;
  return JSON.stringify(reply);
}

function short(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
