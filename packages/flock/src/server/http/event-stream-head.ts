import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";
import { FlockError } from "../../core/errors.ts";

/** Whether a request asks for Server-Sent Events. */
export function wantsEventStream({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && (headers.accept?.includes("text/event-stream") ?? false);
}

/** The headers of a Server-Sent Events response. */
export const EVENT_STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // A proxy or middleware that compresses the stream would also buffer it.
  "cache-control": "no-store, no-transform",
  // nginx would buffer events.
  "x-accel-buffering": "no",
} as const;

/**
 * Sends the head of a Server-Sent Events response and returns the socket: undefined when the client has already
 * disconnected, whose socket would report no further end. Bytes written to it are the body, which ends
 * with the connection (RFC 9112 section 6.3): without chunk headers, all clients can share the same bytes.
 *
 * @throws FlockError `invalid_request` while the connection carries the response to an earlier request: the bytes would
 * precede the head, or end up in that response.
 */
export function openEventStream(reply: FastifyReply): Socket | undefined {
  const { raw } = reply;
  // Node assigns the socket to one response at a time, and queues those of pipelined requests.
  if (!raw.socket && !raw.destroyed) {
    throw new FlockError(
      "invalid_request",
      "Cannot open the stream: an earlier request on the connection has no complete response. Use another connection.",
    );
  }
  reply.hijack();
  const { socket } = reply.request.raw;
  if (socket.destroyed) return undefined;
  raw.shouldKeepAlive = false;
  raw.useChunkedEncodingByDefault = false;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    ...EVENT_STREAM_HEADERS,
  });
  raw.flushHeaders();
  return socket;
}
