import type { AgentDefinition } from "./builder.ts";
import type { RunContext } from "./run-context.ts";

/** A language model, as far as the core looks at it. Every model of the AI SDK is one. */
export interface ModelObject {
  /** Of the AI SDK's interface, such as `v4`. */
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
}

/**
 * A language model of the AI SDK, or `"provider/model"`, such as `"openai/gpt-4.1"` or `"anthropic/claude-sonnet-4-5"`,
 * with its key in the environment: see `resolveModel` of `flock-ts/engines/ai`.
 */
export type Model = ModelObject | string;

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

/** An agent as it was declared, before anything computes its output. */
export type AgentDeclaration = Omit<AgentDefinition, "run">;

/** Computes the output of agents that have no function of their own: makes the function that they lack. */
export type Engine = (agent: AgentDeclaration & { readonly model: Model }) => AgentDefinition["run"];

/** Whether a value can be a {@link Model}. */
export function isModel(value: unknown): value is Model {
  if (typeof value === "string") return value !== "";
  const { specificationVersion, modelId } = (value ?? {}) as Partial<ModelObject>;
  return typeof specificationVersion === "string" && typeof modelId === "string";
}
