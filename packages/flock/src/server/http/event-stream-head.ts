import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Whether a request asks for Server-Sent Events. */
export function wantsEventStream({ method, headers }: FastifyRequest): boolean {
  return method === "GET" && (headers.accept?.includes("text/event-stream") ?? false);
}

/**
 * Sends the head of a Server-Sent Events response and returns the socket. Bytes written to it are the body, which ends
 * with the connection (RFC 9112 section 6.3): without chunk headers, all clients can share the same bytes.
 */
export function openEventStream(reply: FastifyReply): Socket {
  reply.hijack();
  const { raw } = reply;
  raw.shouldKeepAlive = false;
  raw.useChunkedEncodingByDefault = false;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // nginx would buffer events.
    "x-accel-buffering": "no",
  });
  raw.flushHeaders();
  return reply.request.raw.socket;
}
