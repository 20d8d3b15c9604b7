import { dynamicTool, jsonSchema, type ToolSet } from "ai";
import type { RunContext } from "../../agents/run-context.ts";
import { type DeclaredTools, isToolSource, type OfferedTool, type ToolAnswer } from "../../agents/tools.ts";
import { FlockError } from "../../core/errors.ts";
import { stepsOf } from "../../runtime/runs/steps.ts";
import { type Place, placeOfSteps } from "../../telemetry/step-span.ts";
import { type Decision, decide } from "./approvals.ts";
import { limited, MAX_RESULT_CHARACTERS, outputOf, type ToolOutput, truncated, withNote } from "./tool-output.ts";

type Tool = ToolSet[string];

/** Options that the AI SDK passes to a tool. */
type CallOptions = Parameters<NonNullable<Tool["execute"]>>[1];

/** A tool of this run and its limit. */
interface Offer {
  readonly tool: Tool;
  readonly maxCharacters: number;
}

/**
 * Collects the tools of this run from all sources. Each call is a step of the run, asks a person first if the tool
 * needs approval, and returns a limited result. A failed call is reported to the model.
 * @param calls counts the calls that start.
 * @throws FlockError `invalid_options` when two tools have the same name.
 * @throws errors of a source.
 */
export async function toolsOf(
  declared: readonly DeclaredTools[],
  context: RunContext,
  calls: { started: number },
): Promise<ToolSet> {
  const place = placeOfSteps();
  const offers = await Promise.all(declared.map((one) => offersOf(one, context)));
  const isSource = declared.map(({ tools }) => isToolSource(tools));
  const all: ToolSet = {};
  for (const [index, offer] of offers.entries()) {
    for (const [name, { tool, maxCharacters }] of Object.entries(offer)) {
      // Tools declared in code may override each other; a tool of a server must not replace another one.
      if (Object.hasOwn(all, name) && isSource.slice(0, index + 1).includes(true)) {
        throw new FlockError(
          "invalid_options",
          `Invalid tools of agent \`${context.agent}\`: two are called \`${name}\`. Rename the server that one of them comes from.`,
        );
      }
      all[name] = guarded({ name, tool, maxCharacters, context, place, calls });
    }
  }
  return all;
}

async function offersOf(
  { tools, maxResultCharacters: own = Number.POSITIVE_INFINITY }: DeclaredTools,
  context: RunContext,
): Promise<Record<string, Offer>> {
  const limitOf = (max = Number.POSITIVE_INFINITY): number => {
    const least = Math.min(max, own);
    return Number.isFinite(least) ? least : MAX_RESULT_CHARACTERS;
  };
  if (!isToolSource(tools))
    return Object.fromEntries(
      Object.entries(tools as ToolSet).map(([name, tool]) => [name, { tool, maxCharacters: limitOf() }]),
    );
  return Object.fromEntries(
    (await tools.offer(context)).map((offered) => [
      offered.name,
      { tool: fromOffered(offered), maxCharacters: limitOf(offered.maxResultCharacters) },
    ]),
  );
}

function fromOffered({ description, inputSchema, needsApproval = false, call }: OfferedTool): Tool {
  return dynamicTool({
    description,
    inputSchema: jsonSchema(inputSchema),
    needsApproval,
    execute: (input, { abortSignal }) => call(input, abortSignal),
    toModelOutput: ({ output }) => asOutput(output as ToolAnswer),
  });
}

function asOutput({ text, files }: ToolAnswer): ToolOutput {
  if (files.length === 0) return { type: "text", value: text };
  return {
    type: "content",
    value: [
      { type: "text", text },
      ...files.map(({ data, mediaType }) => ({
        type: "file" as const,
        data: { type: "data" as const, data },
        mediaType,
      })),
    ],
  };
}

interface Guarded extends Offer {
  readonly name: string;
  readonly context: RunContext;
  readonly place: Place;
  readonly calls: { started: number };
}

/** Returns a tool whose calls the run controls. A tool that the provider executes stays as it is. */
function guarded({ name, tool, maxCharacters, context, place, calls }: Guarded): Tool {
  const { execute } = tool;
  if (!execute) return tool;
  const call = async (input: unknown, options: CallOptions): Promise<ToolOutput> => {
    calls.started += 1;
    const step = await stepsOf(context)?.begin({
      kind: "tool",
      name,
      place,
      attributes: { "gen_ai.tool.call.id": options.toolCallId },
    });
    const work = async () => {
      const value = await lastOf(execute(input as never, options as never));
      const { toolCallId } = options;
      const output = tool.toModelOutput
        ? await tool.toModelOutput({ toolCallId, input: input as never, output: value as never })
        : outputOf(value);
      return limited(name, output, maxCharacters);
    };
    try {
      const output = await (step ? step.within(work) : work());
      step?.end();
      return output;
    } catch (error) {
      step?.fail(error);
      throw error;
    }
  };
  const run = async (input: unknown, options: CallOptions): Promise<ToolOutput> => {
    try {
      if (!(await needsApproval(tool, input, options))) return await call(input, options);
      const description = typeof tool.description === "string" ? tool.description : undefined;
      const decision = await decide(context, { tool: name, description, inputSchema: tool.inputSchema, input });
      if (!decision.isApproved) return refusal(name, decision);
      const output = await call(decision.input, options);
      const changed = `[A person changed the arguments to ${JSON.stringify(decision.input)}]`;
      return decision.isChanged ? withNote(truncated(changed, maxCharacters), output) : output;
    } catch (error) {
      context.signal.throwIfAborted();
      // The model receives the error and may try something else.
      context.log.warn({ err: error, tool: name }, "tool call failed");
      const message = error instanceof Error ? error.message || error.name : String(error);
      return { type: "error-text", value: truncated(message, maxCharacters) };
    }
  };
  const copy = Object.create(Object.getPrototypeOf(tool), Object.getOwnPropertyDescriptors(tool));
  return Object.assign(copy, {
    needsApproval: false,
    execute: run,
    toModelOutput: ({ output }: { readonly output: unknown }) => output as ToolOutput,
  }) as Tool;
}

async function needsApproval(
  { needsApproval: needs = false }: Tool,
  input: unknown,
  { toolCallId, messages, context }: CallOptions,
): Promise<boolean> {
  return typeof needs === "function" ? needs(input as never, { toolCallId, messages, context }) : needs;
}

function refusal(name: string, { reason }: Extract<Decision, { readonly isApproved: false }>): ToolOutput {
  const why = reason === undefined ? "No reason was given." : `Reason: ${reason}`;
  return { type: "error-text", value: `A person refused the call of \`${name}\`. ${why}` };
}

/** Returns the result of a tool, which may report preliminary ones before. */
async function lastOf(result: unknown): Promise<unknown> {
  if (typeof result !== "object" || result === null || !(Symbol.asyncIterator in result)) return result;
  let last: unknown;
  for await (const one of result as AsyncIterable<unknown>) last = one;
  return last;
}
