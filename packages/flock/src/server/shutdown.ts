import { FlockError } from "../core/errors.ts";
import type { ServerApp } from "./server-component.ts";
import { closeAfterResponse } from "./upgrades.ts";

/** The error of requests that a closing server does not handle. */
export function shuttingDown(): FlockError {
  return new FlockError("shutting_down", "The server is shutting down. Retry later.");
}

/**
 * Refuses requests once `closing` is aborted, before the handshake of a WebSocket: a client that is closed right after it
 * cannot tell why. Requests that arrived earlier and still wait, for example for `principal`, are refused as well.
 */
export function refuseWhenClosing(app: ServerApp, closing: AbortSignal): void {
  for (const step of ["onRequest", "preHandler"] as const) {
    app.addHook(step, async (request, reply) => {
      if (!closing.aborted) return;
      closeAfterResponse(request, reply);
      void reply.header("retry-after", RETRY_AFTER_S);
      throw shuttingDown();
    });
  }
}

/** When a client should retry, in seconds. By then, a supervisor has usually started the next process. */
const RETRY_AFTER_S = 2;
