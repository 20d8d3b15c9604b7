import { setTimeout as pause } from "node:timers/promises";
import type { JSONSchema7, LanguageModel } from "ai";
import { z } from "zod";
import { checkOptions } from "../../core/errors.ts";
import { Random } from "./random.ts";
import { type Schema, valueFor } from "./schema-value.ts";
import { MARK } from "./string-value.ts";
import { wordsOf } from "./words.ts";

/** The AI SDK's language model interface in the version that this model implements. */
export type OfflineModel = Extract<LanguageModel, { readonly specificationVersion: "v4" }>;

/** Options of {@link offlineModel}. */
export interface OfflineModelOptions {
  /** Seed of the answers: the same seed gives the same answer to the same question. Default: 1. */
  readonly seed?: number | string;
  /** Delay before each chunk of an answer, in ms. Default: 0. */
  readonly delayMs?: number;
}

type CallOptions = Parameters<OfflineModel["doStream"]>[0];
type StreamPart =
  Awaited<ReturnType<OfflineModel["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part : never;
type ToolCall = Extract<StreamPart, { type: "tool-call" }>;

const optionsSchema = z.strictObject({
  seed: z.union([z.number(), z.string()]).default(1),
  delayMs: z.number().min(0).max(60_000).default(0),
});

/** Approximate number of characters per token of English text. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Creates a language model without a network, for demos and tests. It generates answers that fit the requested schema
 * from the words of the question, and streams them in small chunks.
 * The answers have no meaning and are marked: its `provider` is `offline`, and the first text of each answer starts
 * with `[offline]`.
 * It calls no tools unless `toolChoice` requires it, because generated arguments could do harm.
 *
 * @throws FlockError `invalid_options`.
 *
 * @example
 * const flock = new Flock({ model: offlineModel({ seed: 7 }) });
 */
export function offlineModel(options: OfflineModelOptions = {}): OfflineModel {
  const { seed, delayMs } = checkOptions("offlineModel", optionsSchema, options);
  return {
    specificationVersion: "v4",
    provider: "offline",
    modelId: "made-up",
    supportedUrls: {},
    async doGenerate(call) {
      call.abortSignal?.throwIfAborted();
      const answer = answerTo(call, seed);
      return {
        content: answer.tool ? [answer.tool] : [{ type: "text", text: answer.text }],
        finishReason: answer.finishReason,
        usage: answer.usage,
        warnings: [],
      };
    },
    async doStream(call) {
      call.abortSignal?.throwIfAborted();
      return { stream: streamOf(partsOf(answerTo(call, seed), delayMs, call.abortSignal)) };
    },
  };
}

interface Answer {
  readonly text: string;
  readonly tool: ToolCall | undefined;
  readonly finishReason: Extract<StreamPart, { type: "finish" }>["finishReason"];
  readonly usage: Extract<StreamPart, { type: "finish" }>["usage"];
}

function answerTo(
  { prompt, responseFormat, tools = [], toolChoice, seed: callSeed }: CallOptions,
  seed: number | string,
): Answer {
  const question = JSON.stringify(prompt);
  const random = new Random(`${seed} ${callSeed ?? ""} ${question}`);
  const words = wordsOf(materialOf(prompt));
  const wanted = toolChoice?.type === "tool" ? toolChoice.toolName : undefined;
  const tool =
    toolChoice?.type === "tool" || toolChoice?.type === "required"
      ? tools.find((one) => one.type === "function" && (wanted === undefined || one.name === wanted))
      : undefined;
  let text = "";
  let call: ToolCall | undefined;
  if (tool?.type === "function") {
    text = JSON.stringify(valueFor(asSchema(tool.inputSchema), random, words));
    call = { type: "tool-call", toolCallId: `offline-${random.between(0, 2 ** 31)}`, toolName: tool.name, input: text };
  } else if (responseFormat?.type === "json") {
    text = JSON.stringify(valueFor(asSchema(responseFormat.schema ?? { type: "object" }), random, words), null, 2);
  } else {
    const sample = Array.from({ length: random.between(6, 12) }, () => random.pick(words)).join(" ");
    text = `${MARK} Generated from words of the question, not by a language model: ${sample}.`;
  }
  const [input, output] = [tokensOf(question), tokensOf(text)];
  return {
    text,
    tool: call,
    finishReason: call ? { unified: "tool-calls", raw: "tool_calls" } : { unified: "stop", raw: "stop" },
    usage: {
      inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: output, text: output, reasoning: 0 },
    },
  };
}

async function* partsOf(answer: Answer, delayMs: number, signal: AbortSignal | undefined): AsyncGenerator<StreamPart> {
  yield { type: "stream-start", warnings: [] };
  if (answer.tool) {
    yield answer.tool;
  } else {
    yield { type: "text-start", id: "0" };
    for (const [delta] of answer.text.matchAll(/\s*\S{1,8}|\s+$/gu)) {
      if (delayMs > 0) await pause(delayMs, undefined, signal ? { signal } : {});
      signal?.throwIfAborted();
      yield { type: "text-delta", id: "0", delta };
    }
    yield { type: "text-end", id: "0" };
  }
  yield { type: "finish", finishReason: answer.finishReason, usage: answer.usage };
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

/** Returns the text that the answer is generated from: user messages, and only the string values of JSON. */
function materialOf(prompt: CallOptions["prompt"]): string {
  return prompt
    .flatMap((message) => (message.role === "user" ? message.content : []))
    .map((part) => (part.type === "text" ? textsIn(part.text) : ""))
    .join("\n");
}

function textsIn(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const texts: string[] = [];
  const collect = (one: unknown): void => {
    if (typeof one === "string") texts.push(one);
    else if (typeof one === "object" && one !== null) {
      // Skip the artifact's type.
      for (const inner of "payload" in one ? [one.payload] : Object.values(one)) collect(inner);
    }
  };
  collect(value);
  return texts.join("\n");
}

function asSchema(schema: JSONSchema7): Schema {
  return schema as Schema;
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}
