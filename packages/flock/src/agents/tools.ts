import { z } from "zod";
import { FlockError } from "../core/errors.ts";
import type { RunContext } from "./run-context.ts";

/** Tools that a model may call, by name, created with `tool(…)` of the AI SDK. */
export type Tools = Readonly<Record<string, object>>;

/** Options of tools; see `.tools` of an agent. */
export interface ToolOptions {
  /**
   * Longest result of one call for the model, in characters of text or JSON; longer results are truncated with a note.
   * Files and images do not count. Default: 50,000.
   */
  readonly maxResultCharacters?: number | undefined;
}

/** A tool that runs outside the process, such as on an MCP server. */
export interface OfferedTool {
  /** Name for the model: letters, digits, `_` and `-`, at most 64 characters. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, with an object at its root. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Whether a person must approve each call. Default: false. */
  readonly needsApproval?: boolean;
  /** Longest result for the model, in characters; longer results are truncated. Default: 50,000. */
  readonly maxResultCharacters?: number | undefined;
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

/** Tools of an agent, with their options. */
export interface DeclaredTools extends ToolOptions {
  readonly tools: Tools | ToolSource;
}

/** Validates {@link ToolOptions}. */
export const toolOptionsSchema = z.strictObject({ maxResultCharacters: z.int().min(1).optional() });

/** Returns whether tools are known only when a run starts. */
export function isToolSource(tools: Tools | ToolSource): tools is ToolSource {
  return typeof tools.offer === "function";
}

/** The part of an AI SDK tool that determines who calls it. */
interface CallableTool {
  readonly execute?: unknown;
  readonly type?: unknown;
  readonly isProviderExecuted?: unknown;
  readonly needsApproval?: unknown;
}

/**
 * Checks that each tool can be called.
 * @throws FlockError `invalid_options`, naming the tool.
 */
export function checkTools(what: string, tools: unknown): asserts tools is Tools | ToolSource {
  const invalid = (why: string) => new FlockError("invalid_options", `Invalid tools for ${what}: ${why}`);
  if (typeof tools !== "object" || tools === null || Array.isArray(tools))
    throw invalid("not an object. Pass AI SDK tools by name, or the tools of a server.");
  if (isToolSource(tools as Tools)) return;
  for (const [name, tool] of Object.entries(tools)) {
    if (typeof tool !== "object" || tool === null)
      throw invalid(`\`${name}\` is not a tool. Create it with \`tool(…)\` of the AI SDK.`);
    const { execute, type, isProviderExecuted, needsApproval } = tool as CallableTool;
    if (type === "provider" && isProviderExecuted === true) {
      if (!needsApproval) continue;
      throw invalid(
        `\`${name}\` needs approval, but its provider calls it and asks nobody. Remove \`needsApproval\`, or use a tool with \`execute\`.`,
      );
    }
    if (typeof execute !== "function")
      throw invalid(`\`${name}\` has no \`execute\` function, so nothing can call it. Add \`execute\`.`);
  }
}

/** Returns whether calls of these tools may need a person's approval. */
export function mayNeedApproval(tools: Tools | ToolSource): boolean {
  return isToolSource(tools) || Object.values(tools).some((tool) => Boolean((tool as CallableTool).needsApproval));
}
