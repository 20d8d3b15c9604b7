/**
 * Every WebSocket close code that a Flock server sends, and what the client should do about it.
 * Kept free of dependencies so that the browser client can bundle it alone.
 * Codes below 4000 are those of RFC 6455 section 7.4.1; 4000 to 4999 are ours (section 7.4.2).
 */

/** What a client does after a close: come back and resume, come back more slowly, or stay away. */
export type CloseAction = "reconnect" | "backoff" | "stop";

/** A close code with its name and the client's duty. */
export interface CloseCode {
  /** The number on the wire. */
  readonly code: number;
  /** One sentence for logs and people. */
  readonly meaning: string;
  /** What a client does next. */
  readonly action: CloseAction;
}

/** The table of close codes, by name. */
export const CLOSE = {
  normal: { code: 1000, meaning: "normal closure", action: "reconnect" },
  goingAway: { code: 1001, meaning: "the server is going away", action: "reconnect" },
  policy: { code: 1008, meaning: "too many protocol errors", action: "stop" },
  tooBig: { code: 1009, meaning: "message too big", action: "stop" },
  internalError: { code: 1011, meaning: "internal error", action: "backoff" },
  tryAgainLater: { code: 1013, meaning: "try again later", action: "backoff" },
  notAuthenticated: { code: 4401, meaning: "not authenticated", action: "stop" },
  notAllowed: { code: 4403, meaning: "not allowed", action: "stop" },
  heartbeatMissed: { code: 4408, meaning: "heartbeat missed", action: "reconnect" },
  tooManyCommands: { code: 4429, meaning: "too many commands", action: "backoff" },
} as const satisfies Record<string, CloseCode>;

const byCode = new Map<number, CloseCode>(Object.values(CLOSE).map((entry) => [entry.code, entry]));

/**
 * What a client should do after a connection closed with `code`.
 * An unknown code in 4400 to 4499 is the client's fault and means stop; any other unknown code
 * (1006 above all: the network went away) means reconnect.
 */
export function actionAfterClose(code: number): CloseAction {
  const known = byCode.get(code);
  if (known) return known.action;
  return code >= 4400 && code <= 4499 ? "stop" : "reconnect";
}
