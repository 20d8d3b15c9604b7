import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { FlockError } from "../core/errors.ts";
import type { ServerApp } from "./server-component.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route takes WebSocket upgrades. Set for each route with a WebSocket handler. */
    isWebSocket?: boolean;
  }
}

/**
 * Refuses WebSocket upgrades of all routes without a WebSocket handler, before the handshake. `@fastify/websocket`
 * completes the handshake first and closes afterwards, which bypasses the checks of the origin and the limits.
 */
export function refuseOtherUpgrades(app: ServerApp): void {
  app.addHook("onRoute", (route) => {
    if (route.websocket || route.wsHandler) route.config = { ...route.config, isWebSocket: true };
  });
  app.addHook("onRequest", async (request, reply) => {
    if (!isUpgrade(request.raw) || request.routeOptions.config?.isWebSocket) return;
    void reply.header("connection", "close");
    // Node has handed the socket over with the upgrade, and would not close it.
    reply.raw.once("finish", () => request.raw.socket.destroySoon());
    throw new FlockError("not_found", `Not found: ${request.url.split("?")[0]} is not a WebSocket endpoint.`);
  });
}

/**
 * Tracks the sockets of upgraded requests. Node waits for them when the server closes, so that a peer that does not answer
 * the close frame would delay the shutdown.
 * @returns a function that destroys the sockets still open.
 */
export function trackUpgrades(app: ServerApp): () => void {
  const sockets = new Set<Socket>();
  // One listener function for all sockets: there may be ten thousand.
  function forget(this: Socket): void {
    sockets.delete(this);
  }
  app.addHook("onRequest", async ({ raw }) => {
    if (!isUpgrade(raw)) return;
    sockets.add(raw.socket);
    raw.socket.on("close", forget);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Node sets `upgrade` on requests that come with the server's upgrade event. */
function isUpgrade(request: IncomingMessage & { upgrade?: boolean | null }): boolean {
  return request.upgrade === true;
}
