/** Why a server refuses a connection. */
export interface Refusal {
  /** A code of the server's error table, or `http_STATUS` if another program answered. */
  readonly code: string;
  /** The reason, for people. */
  readonly message: string;
  /** Whether waiting cannot change it. */
  readonly isFinal: boolean;
}

/** The answer of a WebSocket endpoint that refuses nothing else. */
const UPGRADE_REQUIRED = 426;
/** Error codes that waiting cannot change. A foreign 403 or 404 is not among them: proxies send them during a deploy. */
const FINAL = /^(invalid_request|not_authenticated|origin_not_allowed|host_not_allowed|not_allowed|not_found)$/;
/** A page instead of an endpoint: the wrong path, or a proxy that answers everything during a deploy. */
const NO_WEBSOCKET =
  "Connection refused: the address is that of a page, not of a WebSocket. Check its path, for example `/plugin/ws`.";

/**
 * Asks over HTTP why a WebSocket handshake failed, because browsers hide its response. Returns undefined if the server
 * refuses nothing.
 *
 * @param url of the WebSocket.
 * @throws TypeError if the server is not reachable.
 */
export async function askForRefusal(
  url: URL,
  request: typeof fetch,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const target = new URL(url);
  target.protocol = target.protocol.replace(/^ws/, "http");
  // With cookies, as in the handshake: without them, a server could refuse what it accepts on the WebSocket.
  const response = await request(target, { signal, credentials: "include", cache: "no-store", redirect: "manual" });
  const { status } = response;
  if (status < 400 || status === UPGRADE_REQUIRED) {
    // The body of another program's page may never end.
    await response.body?.cancel();
    return response.ok ? { ...refusalByStatus(status), message: NO_WEBSOCKET } : undefined;
  }
  const { code, message } = (await response.json().catch(() => undefined))?.error ?? {};
  if (typeof code === "string" && typeof message === "string") return { code, message, isFinal: FINAL.test(code) };
  return refusalByStatus(status);
}

/** Returns the refusal by an HTTP status without a reason. */
export function refusalByStatus(status: number): Refusal {
  return { code: `http_${status}`, message: `Connection refused: HTTP status ${status}.`, isFinal: status === 401 };
}
