import type { RunContext } from "./run-context.ts";
/** What a model may call while it works, by name: made with `tool(…)` of the AI SDK. */
export type Tools = Readonly<Record<string, object>>;

/** A tool that somebody else runs, such as an MCP server. */
export interface OfferedTool {
  /** What the model calls it: letters, digits, `_` and `-`, 64 at most. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments; an object at its root. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Runs it. What it throws is told to the model. */
  call(input: unknown, signal: AbortSignal | undefined): Promise<ToolAnswer>;
}

/** What a tool has answered, as a model can read it. */
export interface ToolAnswer {
  readonly text: string;
  /** Files for models that can look at them: base64. */
  readonly files: readonly { readonly data: string; readonly mediaType: string }[];
}

/** Where tools come from that are known only when a run begins: see `flock-ts/tools/mcp`. */
export interface ToolSource {
  /** What may be called now. Asked once in each run. */
  offer(context: RunContext): Promise<readonly OfferedTool[]>;
}
