import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";

/** Whether a request asks for Server-Sent Events. */
export function wantsEventStream({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && (headers.accept?.includes("text/event-stream") ?? false);
}

/**
 * Sends the head of a Server-Sent Events response and returns the socket: undefined when the client has already
 * disconnected, whose socket would report no further end. Bytes written to it are the body, which ends
 * with the connection (RFC 9112 section 6.3): without chunk headers, all clients can share the same bytes.
 */
export function openEventStream(reply: FastifyReply): Socket | undefined {
  reply.hijack();
  const { raw } = reply;
  const { socket } = reply.request.raw;
  if (socket.destroyed) return undefined;
  raw.shouldKeepAlive = false;
  raw.useChunkedEncodingByDefault = false;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    // A proxy or middleware that compresses the stream would also buffer it.
    "cache-control": "no-store, no-transform",
    // nginx would buffer events.
    "x-accel-buffering": "no",
  });
  raw.flushHeaders();
  return socket;
}
