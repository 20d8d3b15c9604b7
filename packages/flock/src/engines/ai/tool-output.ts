import type { ToolResultPart } from "ai";
import { FlockError } from "../../core/errors.ts";

/** The result of a tool call in a form that models can read. */
export type ToolOutput = ToolResultPart["output"];

/** Default for the longest result of a tool call, in characters. It is a tenth of a large model's context. */
export const MAX_RESULT_CHARACTERS = 50_000;

/** Converts the value that a tool returned. A text stays a text; other values become JSON. */
export function outputOf(value: unknown): ToolOutput {
  return typeof value === "string" ? { type: "text", value } : { type: "json", value: (value ?? null) as never };
}

/**
 * Limits the text of a result.
 * @throws FlockError `tool_failed` when the result is not JSON.
 */
export function limited(tool: string, output: ToolOutput, maxCharacters: number): ToolOutput {
  switch (output?.type) {
    case "text":
    case "error-text":
      return { ...output, value: truncated(output.value, maxCharacters) };
    case "json":
    case "error-json": {
      const json = encode(tool, output.value);
      if (json.length <= maxCharacters) return { ...output, value: JSON.parse(json) };
      return { type: output.type === "json" ? "text" : "error-text", value: truncated(json, maxCharacters) };
    }
    case "content": {
      let left = maxCharacters;
      const value = output.value.map((part) => {
        if (part.type !== "text") return part;
        const text = truncated(part.text, left);
        left = Math.max(0, left - part.text.length);
        return { ...part, text };
      });
      return { ...output, value };
    }
    case "execution-denied":
      return output;
    default:
      throw new FlockError(
        "tool_failed",
        `Tool \`${tool}\` failed: its \`toModelOutput\` returned no output. Return an object such as \`{ type: "text", value: "…" }\`.`,
      );
  }
}

/** Puts a note for the model before a result. */
export function withNote(note: string, output: ToolOutput): ToolOutput {
  switch (output.type) {
    case "text":
    case "error-text":
      return { ...output, value: `${note}\n${output.value}` };
    case "json":
      return { type: "text", value: `${note}\n${JSON.stringify(output.value)}` };
    case "error-json":
      return { type: "error-text", value: `${note}\n${JSON.stringify(output.value)}` };
    case "content":
      return { ...output, value: [{ type: "text", text: note }, ...output.value] };
    default:
      return output;
  }
}

/** Truncates a text with a note about its length. */
export function truncated(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // The first half of a surrogate pair alone is no character.
  const isCut = /[\uD800-\uDBFF]/.test(text.charAt(maxCharacters - 1));
  const kept = text.slice(0, isCut ? maxCharacters - 1 : maxCharacters);
  return `${kept}\n[truncated: ${kept.length} of ${text.length} characters; request less]`;
}

function encode(tool: string, value: unknown): string {
  let json: string | undefined;
  let why = `it is a ${typeof value}`;
  try {
    json = JSON.stringify(value, readablePart);
  } catch (error) {
    why = error instanceof Error ? (error.message.split("\n")[0] as string) : String(error);
  }
  if (json !== undefined) return json;
  throw new FlockError(
    "tool_failed",
    `Tool \`${tool}\` failed: its result is not JSON (${why}). Return text, or values that JSON can represent.`,
  );
}

/** Replaces or refuses what JSON would show as an empty object. */
function readablePart(_key: string, part: unknown): unknown {
  if (part instanceof Error) return { name: part.name, message: part.message };
  if (part instanceof Map || part instanceof Set || part instanceof WeakMap || part instanceof Promise)
    throw new TypeError(`it contains a ${part.constructor.name}`);
  return part;
}
