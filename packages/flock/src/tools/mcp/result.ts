import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";
import type { ToolAnswer } from "../../agents/tools.ts";

/** The result of a tool call. */
export interface McpResult {
  /** All textual content in order; other content is named in brackets. */
  readonly text: string;
  /** Structured content, if the tool returns any. */
  readonly structured: unknown;
  /** The content parts as the server sent them: text, images, audio, resources. */
  readonly content: readonly ContentBlock[];
}

/** Converts a tool result for functions. */
export function resultOf({ content = [], structuredContent }: CallToolResult): McpResult {
  const text = content.map(textOf).join("\n");
  return {
    text: text === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : text,
    structured: structuredContent,
    content,
  };
}

/** Converts a tool result for a model. */
export function answerOf({ text, content }: McpResult, images: boolean): ToolAnswer {
  return {
    text,
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
