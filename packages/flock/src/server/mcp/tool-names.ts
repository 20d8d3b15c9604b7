/** The names of all tools. Apart from the tools, so that declarations of the component need no MCP package. */
export const TOOL_NAMES = [
  "list_artifact_types",
  "publish_artifact",
  "query_artifacts",
  "get_artifact",
  "list_agents",
  "get_workflow",
  "watch",
] as const;

/** A tool of the MCP server. */
export type McpToolName = (typeof TOOL_NAMES)[number];
