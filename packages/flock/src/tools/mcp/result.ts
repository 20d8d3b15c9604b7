import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";
import type { ToolAnswer } from "../../agents/tools.ts";

/** What a tool has answered. */
export interface McpResult {
  /** All that can be read as text, in its order; what cannot is named in brackets. */
  readonly text: string;
  /** The answer as data, when the tool gives such. */
  readonly structured: unknown;
  /** The parts of the answer as the server sent them: texts, images, sound, resources. */
  readonly content: readonly ContentBlock[];
}

/** An answer as functions read it. */
export function resultOf({ content = [], structuredContent }: CallToolResult): McpResult {
  const text = content.map(textOf).join("\n");
  return {
    text: text === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : text,
    structured: structuredContent,
    content,
  };
}

/** The answer as a model reads it. */
export function answerOf({ text, content }: McpResult, maxCharacters: number, images: boolean): ToolAnswer {
  return {
    text:
      text.length <= maxCharacters
        ? text
        : `${text.slice(0, maxCharacters)}\n[cut off: these are ${maxCharacters} of ${text.length} characters; ask for less]`,
    files: images
      ? content.flatMap((part) => (part.type === "image" ? [{ data: part.data, mediaType: part.mimeType }] : []))
      : [],
  };
}

function textOf(part: ContentBlock): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "image":
    case "audio":
      return `[${part.type}, ${part.mimeType}, ${bytesOf(part.data)} bytes]`;
    case "resource_link":
      return `[resource ${part.name}: ${part.uri}]`;
    case "resource":
      return "text" in part.resource
        ? part.resource.text
        : `[resource ${part.resource.uri}, ${part.resource.mimeType ?? "bytes"}, ${bytesOf(part.resource.blob)} bytes]`;
  }
}

function bytesOf(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}
