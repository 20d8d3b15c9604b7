import type { IncomingMessage } from "node:http";
import type { FastifyBaseLogger } from "fastify";
import { type Clock, systemClock } from "../core/clock.ts";
import type { HttpError } from "./http/errors.ts";
import { wantsEventStream } from "./http/event-stream-head.ts";
import { endWithError } from "./http/socket-errors.ts";
import type { ServerApp } from "./server-component.ts";
import { isUpgrade } from "./upgrades.ts";

/** How many refusals are logged one by one per period: enough to find the cause, too few to fill a disk. */
const LINES_PER_PERIOD = 10;
const PERIOD_MS = 60_000;

/**
 * Logs clients of live events that the server refuses: WebSocket handshakes and event streams. It writes one line each, up
 * to {@link LINES_PER_PERIOD} per minute, then one line with the number of the others.
 */
export class RefusalLog {
  readonly #log: FastifyBaseLogger;
  readonly #clock: Clock;
  #count = 0;
  #cancel: (() => void) | undefined;

  constructor(log: FastifyBaseLogger, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Logs the refusal of a request, unless it is of another kind. Internal errors have a line already.
   * @param from the address of the client.
   */
  add(request: IncomingMessage, from: string | undefined, { status, error: { code, message } }: HttpError): void {
    if (code === "internal" || !(isUpgrade(request) || wantsEventStream(request))) return;
    this.#cancel ??= this.#clock.after(PERIOD_MS, () => this.end());
    this.#count += 1;
    if (this.#count > LINES_PER_PERIOD) return;
    const { url, headers } = request;
    // Without the query: it may contain credentials.
    const path = url?.split("?")[0];
    this.#log.warn({ from, path, origin: headers.origin, status, code, reason: message }, "refused a client");
  }

  /** Ends the current period, and logs how many refusals it has not logged. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const refused = this.#count - LINES_PER_PERIOD;
    this.#count = 0;
    if (refused > 0) this.#log.warn({ refused }, "refused more clients");
  }
}

/** Answers and logs the handshakes that `ws` refuses. */
export function refuseInvalidHandshakes(app: ServerApp, refusals: RefusalLog): void {
  if (!app.hasDecorator("websocketServer")) return;
  app.websocketServer.on("wsClientError", ({ message: cause }, socket, request) => {
    const message = `Invalid handshake: ${cause}. Connect with a WebSocket client of version 13 (RFC 6455).`;
    const refusal: HttpError = { status: 400, error: { code: "invalid_request", message } };
    endWithError(socket, refusal, { "sec-websocket-version": "13, 8" });
    refusals.add(request, request.socket.remoteAddress, refusal);
  });
}
