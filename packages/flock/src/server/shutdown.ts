import type { ControlOf } from "@flock-ts/protocol";
import { FlockError } from "../core/errors.ts";
import { retryAfter } from "../delivery/sse/event-stream-writer.ts";
import { EVENT_STREAM_HEADERS, wantsEventStream } from "./http/event-stream-head.ts";
import type { ServerApp } from "./server-component.ts";
import { closeAfterResponse } from "./upgrades.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route serves the event log to clients that ask for Server-Sent Events. */
    isEventStream?: boolean;
  }
}

/** The error of requests that a closing server does not handle. */
export function shuttingDown(): FlockError {
  return new FlockError("shutting_down", "The server is shutting down. Retry later.");
}

/**
 * Refuses requests once `closing` is aborted, before the handshake of a WebSocket: a client that is closed right after it
 * cannot tell why. Requests that arrived earlier and still wait, for example for `principal`, are refused as well.
 *
 * An event stream gets its close notice instead: `EventSource` never reconnects after a status other than 200.
 */
export function refuseWhenClosing(app: ServerApp, closing: AbortSignal): void {
  for (const step of ["onRequest", "preHandler"] as const) {
    app.addHook(step, async (request, reply) => {
      if (!closing.aborted) return;
      closeAfterResponse(request, reply);
      if (request.routeOptions.config.isEventStream && wantsEventStream(request.raw)) {
        return reply.headers(EVENT_STREAM_HEADERS).send(closeNotice());
      }
      void reply.header("retry-after", RETRY_AFTER_S);
      throw shuttingDown();
    });
  }
}

/** When a client should retry, in seconds. By then, a supervisor has usually started the next process. */
const RETRY_AFTER_S = 2;

/** Returns an event stream that only requests to reconnect. */
function closeNotice(): Buffer {
  const retry_after_ms = Math.round(RETRY_AFTER_S * 1_000 * (1 + Math.random()));
  const notice = {
    type: "goodbye",
    reason: "the server is shutting down",
    retry_after_ms,
  } satisfies ControlOf<"goodbye">;
  return Buffer.concat([retryAfter(retry_after_ms), Buffer.from(`data: ${JSON.stringify(notice)}\n\n`)]);
}
