import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { FlockError } from "../core/errors.ts";
import type { ServerApp } from "./server-component.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route takes WebSocket upgrades. Set for each route with a WebSocket handler. */
    isWebSocket?: boolean;
  }
}

/**
 * Whether a request can become a WebSocket. A server ignores all other offers (RFC 9110 section 7.8), such as the `h2c` of
 * Java's HttpClient and `curl --http2`, and answers the request.
 *
 * It also ignores an offer behind a request whose response is not complete: that response still needs the connection.
 */
export function offersWebSocket({ headers, socket }: IncomingMessage): boolean {
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return headers.upgrade?.toLowerCase() === "websocket" && !response;
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
    closeAfterResponse(request, reply);
    throw new FlockError("not_found", `Not found: ${request.url.split("?")[0]} is not a WebSocket endpoint.`);
  });
}

/** Closes the connection of a refused request. Node has handed the socket of an upgrade over, and would not close it. */
export function closeAfterResponse(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header("connection", "close");
  if (isUpgrade(request.raw)) reply.raw.once("finish", () => request.raw.socket.destroySoon());
}

/**
 * Tracks the sockets of upgraded requests. Node waits for them when the server closes, so that a peer that does not answer
 * the close frame would delay the shutdown.
 *
 * Until the handshake, nothing else reads such a socket, and a client that disconnects would go unnoticed. So the server
 * reads it into its buffer, and destroys it when the client ends it.
 * @returns a function that destroys the sockets still open.
 */
export function trackUpgrades(app: ServerApp): () => void {
  const sockets = new Set<Socket>();
  // One listener function for all sockets: there may be ten thousand.
  function forget(this: Socket): void {
    sockets.delete(this);
  }
  function destroy(this: Socket): void {
    this.destroy();
  }
  app.addHook("onRequest", async ({ raw }) => {
    if (!isUpgrade(raw)) return;
    sockets.add(raw.socket);
    raw.socket.on("close", forget);
    raw.socket.on("end", destroy);
    raw.socket.read(0);
  });
  app.addHook("preHandler", async ({ raw }) => {
    if (isUpgrade(raw)) raw.socket.off("end", destroy);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Whether a request is an upgrade. Node sets `upgrade` on requests that come with the server's upgrade event. */
export function isUpgrade(request: IncomingMessage & { upgrade?: boolean | null }): boolean {
  return request.upgrade === true;
}
