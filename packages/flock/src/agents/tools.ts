import type { RunContext } from "./run-context.ts";
/** Tools that a model may call, by name, created with `tool(…)` of the AI SDK. */
export type Tools = Readonly<Record<string, object>>;

/** A tool that runs outside the process, such as on an MCP server. */
export interface OfferedTool {
  /** Name for the model: letters, digits, `_` and `-`, at most 64 characters. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, with an object at its root. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Runs the tool. The model receives errors as text. */
  call(input: unknown, signal: AbortSignal | undefined): Promise<ToolAnswer>;
}

/** The result of a tool in a form that models can read. */
export interface ToolAnswer {
  readonly text: string;
  /** Base64 files for models that accept them. */
  readonly files: readonly { readonly data: string; readonly mediaType: string }[];
}

/** A source of tools that are known only when a run starts; see `flock-ts/tools/mcp`. */
export interface ToolSource {
  /** Returns the tools that are available now. Called once per run. */
  offer(context: RunContext): Promise<readonly OfferedTool[]>;
}
