import { dynamicTool, jsonSchema, type ToolSet } from "ai";
import type { RunContext } from "../../agents/run-context.ts";
import type { OfferedTool, ToolAnswer, ToolSource, Tools } from "../../agents/tools.ts";
import { FlockError } from "../../core/errors.ts";

/**
 * Collects the tools of this run from all sources.
 * @throws FlockError `invalid_options` when two tools have the same name.
 * @throws errors of a source.
 */
export async function toolsOf(sources: readonly (Tools | ToolSource)[], context: RunContext): Promise<ToolSet> {
  const offers = await Promise.all(
    sources.map(async (source) => (isSource(source) ? fromSource(await source.offer(context)) : (source as ToolSet))),
  );
  const tools: ToolSet = {};
  for (const [index, offer] of offers.entries()) {
    for (const [name, tool] of Object.entries(offer)) {
      // Tools declared in code may override each other; a tool of a server must not replace another one.
      if (Object.hasOwn(tools, name) && offers.slice(0, index + 1).some((_, at) => isSource(sources[at]))) {
        throw new FlockError(
          "invalid_options",
          `Invalid tools of agent \`${context.agent}\`: two are called \`${name}\`. Rename the server that one of them comes from.`,
        );
      }
      tools[name] = tool;
    }
  }
  return tools;
}

function isSource(source: Tools | ToolSource | undefined): source is ToolSource {
  return typeof source?.offer === "function";
}

function fromSource(offered: readonly OfferedTool[]): ToolSet {
  return Object.fromEntries(
    offered.map(({ name, description, inputSchema, call }) => [
      name,
      dynamicTool({
        description,
        inputSchema: jsonSchema(inputSchema),
        execute: (input, { abortSignal }) => call(input, abortSignal),
        toModelOutput: ({ output }) => asOutput(output as ToolAnswer),
      }),
    ]),
  );
}

function asOutput({ text, files }: ToolAnswer) {
  if (files.length === 0) return { type: "text" as const, value: text };
  return {
    type: "content" as const,
    value: [
      { type: "text" as const, text },
      ...files.map(({ data, mediaType }) => ({
        type: "file" as const,
        data: { type: "data" as const, data },
        mediaType,
      })),
    ],
  };
}
