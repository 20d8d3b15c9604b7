/**
 * Tools of MCP servers (Model Context Protocol) for agents, through the official SDK (package
 * `@modelcontextprotocol/client`).
 *
 * @packageDocumentation
 */

export { type McpCallOptions, McpTools, mcpTools } from "./mcp-tools.ts";
export type { McpHttpOptions, McpOptions, McpStdioOptions } from "./options.ts";
export type { McpResult } from "./result.ts";
