/**
 * The components of a Flock server.
 *
 * @packageDocumentation
 */
export type { Identify } from "../security/identity.ts";
export { type ComponentConfig, type ServerApp, ServerComponent, type ServerContext } from "../server-component.ts";
export { AgentsServerComponent, type AgentsServerConfig } from "./agents.ts";
export { ArtifactsComponent, type ArtifactsConfig } from "./artifacts.ts";
export { ControlRoutesComponent, type ControlRoutesConfig } from "./control-routes.ts";
export { CORSComponent, type CORSConfig } from "./cors.ts";
export { DeadLettersComponent, type DeadLettersConfig } from "./dead-letters.ts";
export { HealthAndMetricsComponent, type HealthAndMetricsConfig } from "./health.ts";
export { McpServerComponent, type McpServerConfig, type McpToolName } from "./mcp.ts";
export { type StaticFilesConfig, StaticFilesServerComponent } from "./static-files.ts";
export { WebSocketServerComponent, type WebSocketServerConfig, type WebSocketStats } from "./websocket.ts";
