/**
 * The WebSocket close codes that a Flock server sends. Free of dependencies, so that a browser client can bundle it alone.
 * Codes below 4000 are defined by RFC 6455 section 7.4.1, or registered with IANA. Codes from 4000 are for applications
 * (section 7.4.2); ours resemble HTTP status codes.
 */

/** What a client does after a close: reconnect and resume, do so after a longer delay, or stop. */
export type CloseAction = "reconnect" | "backoff" | "stop";

/** A close code and how a client responds to it. */
export interface CloseCode {
  /** The number on the wire. */
  readonly code: number;
  /** The reason on the wire, in a few words. */
  readonly meaning: string;
  /** How a client responds. */
  readonly action: CloseAction;
}

/** All close codes, by name. */
export const CLOSE = {
  normal: { code: 1000, meaning: "normal closure", action: "reconnect" },
  goingAway: { code: 1001, meaning: "the server is going away", action: "reconnect" },
  policy: { code: 1008, meaning: "too many protocol errors", action: "backoff" },
  tooBig: { code: 1009, meaning: "message too big", action: "reconnect" },
  internalError: { code: 1011, meaning: "internal error", action: "backoff" },
  /** Never sent: several libraries treat codes that IANA added after RFC 6455 as protocol errors. Proxies may send it. */
  tryAgainLater: { code: 1013, meaning: "try again later", action: "backoff" },
  notAuthenticated: { code: 4401, meaning: "not authenticated", action: "stop" },
  notAllowed: { code: 4403, meaning: "not allowed", action: "stop" },
  heartbeatMissed: { code: 4408, meaning: "heartbeat missed", action: "reconnect" },
  tooManyCommands: { code: 4429, meaning: "too many commands", action: "backoff" },
} as const satisfies Record<string, CloseCode>;

/**
 * Returns what a client does after a connection closed with `code`. An unknown code from 4400 to 4499 is the client's
 * fault: it stops. After any other unknown code it reconnects, above all after 1006 (connection lost).
 *
 * The rule is written out, because a browser client that looked it up would have to bundle the whole table. A test
 * compares it with {@link CLOSE}.
 */
export function actionAfterClose(code: number): CloseAction {
  if (code === 1008 || code === 1011 || code === 1013 || code === 4429) return "backoff";
  return code >= 4400 && code <= 4499 && code !== 4408 ? "stop" : "reconnect";
}
