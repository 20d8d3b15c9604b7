/**
 * The connection to one server: socket, retry delays and silence watchdog.
 *
 * | status        | socket          | timer            | next status                                                 |
 * | ------------- | --------------- | ---------------- | ----------------------------------------------------------- |
 * | `connecting`  | none or opening | connect limit    | `hello`: `catching-up`, or `live` if it starts at the head   |
 * | `catching-up` | open            | silence watchdog | `caught_up`: `live`                                         |
 * | `live`        | open            | silence watchdog | –                                                           |
 * | `waiting`     | –               | retry            | retry timer, `retryNow()` or a wake-up: `connecting`        |
 * | `closed`      | –               | –                | none                                                        |
 *
 * From the first three, a lost socket leads to `waiting`, or to `closed` for a reason that waiting cannot change.
 * `close()` leads from every status to `closed`. Only `#set` changes the status.
 *
 * Invariants. The test of the same number in connection.test.ts holds each of them.
 *
 * 1. At most one socket is in use; messages of an abandoned socket are ignored.
 * 2. A retry is scheduled if and only if the status is `waiting`; `retryAt` is its time.
 * 3. `closed` is final: no socket, timer or listener remains, and no status follows.
 * 4. The cursor moves before the status changes, and the status changes before a message is delivered.
 * 5. Each event is delivered once per log, in the order of its `seq`.
 * 6. The retry delay is the one that `goodbye` requests. Otherwise it is random below a bound that doubles with each
 *    attempt, up to `maxMs`. A close code that says "backoff" starts two doublings later.
 * 7. Only a connection that lasted more than {@link STABLE_AFTER_MS} resets the attempts.
 * 8. After half of the silence limit the client sends a `ping`; after all of it, it reconnects.
 * 9. A command is sent only after `hello`, on a socket that is open.
 * 10. An attempt without `hello` ends after the connect limit. It can wait for an address, the network or the server.
 * 11. Only a clear refusal closes the connection: the server's, or a `FlockClientError` of the address function.
 */
import type { ControlMessage, ControlOf, Filter, FlockEvent } from "@flock-ts/protocol";
import { actionAfterClose } from "@flock-ts/protocol/close-codes";
import type { Cursor } from "./cursor.ts";
import { FlockClientError } from "./errors.ts";
import { Listeners } from "./listeners.ts";
import { askForRefusal, type Refusal, refusalByStatus } from "./refusal.ts";
import { timerDelay } from "./timers.ts";

/** The state of the connection. A new object for each change. */
export interface ConnectionState {
  /**
   * `connecting`: an attempt is in progress. `catching-up`: connected, and receiving missed events. `live`: up to date.
   * `waiting`: disconnected until `retryAt`. `closed`: disconnected permanently.
   */
  readonly status: "connecting" | "catching-up" | "live" | "waiting" | "closed";
  /** Attempts since the last stable connection. */
  readonly attempt: number;
  /** When the next attempt starts, in milliseconds since 1970; null unless `waiting`. */
  readonly retryAt: number | null;
  /** The log that each `seq` refers to; null before the first connection. */
  readonly epoch: string | null;
  /** The server's id of the current or last connection; null before the first. */
  readonly connectionId: string | null;
  /**
   * The newest `seq` that the client knows of: received, or reported by the server. Listeners of the state are not called
   * for each event: read it when you need it.
   */
  readonly head: number;
  /** Whether the log can contain events that this client may not see. */
  readonly limited: boolean;
  /** Why there is no connection; null while connected. */
  readonly reason: string | null;
  /**
   * The error code behind `reason`, if the server refused the connection: one of the wire contract, such as
   * `not_authenticated`, `http_STATUS` if a proxy answered, or `unsupported_protocol`. Otherwise null.
   */
  readonly code: string | null;
}

/** The state of a client that has not connected yet. */
export const INITIAL_STATE: ConnectionState = {
  status: "connecting",
  attempt: 0,
  retryAt: null,
  epoch: null,
  connectionId: null,
  head: 0,
  limited: false,
  reason: null,
  code: null,
};

/** Settings of a connection. */
export interface ConnectionOptions {
  /**
   * Bounds of the delay between attempts, in milliseconds. The upper bound doubles from `minMs` (default 250) to `maxMs`
   * (default 15,000). The delay is random below it, so that clients of one server do not reconnect at the same time.
   */
  readonly backoff?: { readonly minMs?: number; readonly maxMs?: number };
  /** How long an attempt may take until the server's `hello`, in milliseconds. Default: 15,000. */
  readonly connectTimeoutMs?: number;
  /** Reconnects after this many milliseconds without a message. Default: two heartbeats, or 60,000 without heartbeat. */
  readonly silenceMs?: number;
  /** The largest message to send, in bytes. Default: what the server reports, or 1 MiB for a server that does not. */
  readonly maxMessageBytes?: number;
  /** The WebSocket implementation. Default: the platform's. */
  readonly WebSocket?: typeof WebSocket;
  /**
   * Asks over HTTP why a handshake failed. It must send the same credentials as the WebSocket. Default: the platform's
   * `fetch`, or nothing if `WebSocket` is given.
   */
  readonly fetch?: typeof fetch;
}

/** Collaborators of a connection. */
export interface ConnectionDeps {
  readonly cursor: Cursor;
  /** Returns the URL of the next attempt: a promise if the application computes it for each attempt. */
  url(): URL | Promise<URL>;
  /** Whether each attempt has another URL. */
  readonly hasFreshUrls: boolean;
  /** Returns the filter to subscribe with after `hello`; undefined if the URL carries it. */
  lateFilter(): Filter | undefined;
  /** Receives each message, except events that were received before. */
  deliver(message: ControlMessage | FlockEvent): void;
  /** The socket is gone. `code` is its close code. */
  disconnected(code: number): void;
  /** The status is `closed`. */
  closed(reason: string | null): void;
  /** Receives what listeners of the state throw. */
  onError(error: unknown): void;
}

/** The version of the wire contract that this client speaks. */
export const PROTOCOL = 1;
/** A longer connection counts as stable, in milliseconds: the next retry delay is short again. */
const STABLE_AFTER_MS = 5_000;
/** The heartbeat interval assumed for a server without heartbeat, in seconds. */
const DEFAULT_HEARTBEAT_S = 30;
/** Longer than the server's own limit for authentication, 10 seconds. */
const CONNECT_TIMEOUT_MS = 15_000;
/** How long a connection may be silent after a wake-up, in milliseconds. */
const WAKE_LIMIT_MS = 5_000;
/** The default limit of servers that do not report theirs, in bytes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** The ids of the connection's own commands. Those of the application are positive. */
const PING_ID = 0;
const SUBSCRIBE_ID = -1;

/** Events of a page. `offline` is not among them: a local server stays reachable. */
const WAKE_UPS = ["online", "pageshow", "visibilitychange"];
/** The error codes of close codes that forbid a retry. */
const STOP_CODES: Readonly<Record<number, string>> = { 4401: "not_authenticated", 4403: "not_allowed" };

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #options: ConnectionOptions;
  readonly #watchers: Listeners<void>;
  /** The current attempt or connection. What belongs to an earlier one is ignored. */
  #attempt: object | undefined;
  #socket: WebSocket | undefined;
  /** When `hello` arrived on the current socket, on the monotonic clock. */
  #readyAt: number | undefined;
  /** When the last message arrived, on both clocks: the wall clock can be set back, the other one stops in standby. */
  #receivedAt = now();
  #goodbye: ControlOf<"goodbye"> | undefined;
  /** The connect limit while `connecting`, the retry while `waiting`, and the silence watchdog while connected. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silenceLimitMs = 0;
  #maxMessageBytes = MAX_MESSAGE_BYTES;
  #head = 0;
  /** The refusal that the WebSocket implementation reports. */
  #refusedBy: Refusal | undefined;
  /** The question why the last handshake failed. */
  #question: AbortController | undefined;
  #state = INITIAL_STATE;

  constructor(deps: ConnectionDeps, options: ConnectionOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#watchers = new Listeners(deps.onError);
  }

  get state(): ConnectionState {
    if (this.#state.head !== this.#head) this.#state = { ...this.#state, head: this.#head };
    return this.#state;
  }

  /** Whether messages can be sent. */
  get isReady(): boolean {
    return this.#readyAt !== undefined && this.#socket?.readyState === 1;
  }

  /** The largest message that can be sent, in bytes. */
  get maxMessageBytes(): number {
    return this.#options.maxMessageBytes ?? this.#maxMessageBytes;
  }

  /** Calls `listener` after each change of the state. Returns a function that stops it. */
  subscribe(listener: () => void): () => void {
    return this.#watchers.add(listener);
  }

  /** Starts the first attempt. */
  start(): void {
    this.#connect();
    for (const type of WAKE_UPS) targetOf(type)?.addEventListener?.(type, this.#wake);
  }

  /** Starts the next attempt at once if the status is `waiting`. */
  readonly retryNow = (): void => {
    if (this.#state.status === "waiting") this.#connect();
  };

  /** Sends a message. Only while `isReady`. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Closes the connection permanently. */
  close(reason: string | null, code: string | null = null): void {
    if (this.#state.status === "closed") return;
    this.#abandon();
    this.#question?.abort();
    for (const type of WAKE_UPS) targetOf(type)?.removeEventListener?.(type, this.#wake);
    this.#set({ status: "closed", retryAt: null, reason, code });
    this.#deps.closed(reason);
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#goodbye = undefined;
    const attempt = {};
    this.#attempt = attempt;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const expire = () => this.#lost(1006, `Connection failed: no \`hello\` within ${connectTimeoutMs} ms.`);
    const url = this.#deps.url();
    if (url instanceof URL) this.#open(url);
    else {
      const isCurrent = () => this.#attempt === attempt;
      url.then((found) => isCurrent() && this.#open(found)).catch((error) => isCurrent() && this.#failed(error));
    }
    this.#timer = setTimeout(expire, timerDelay(connectTimeoutMs));
    this.#set({ status: "connecting", attempt: this.#state.attempt + 1, retryAt: null });
  }

  #open(url: URL): void {
    const socket = new (this.#options.WebSocket ?? WebSocket)(url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.#refusedBy = undefined;
    // `onclose` follows. Only the npm package `ws` names the status of a refused handshake, and it throws without a listener.
    socket.onerror = ({ message }: { message?: string } & object) => {
      const [, status] = /^Unexpected server response: (\d{3})$/.exec(message ?? "") ?? [];
      if (status) this.#refusedBy = refusalByStatus(Number(status));
    };
  }

  /** Handles an attempt without an address. */
  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof FlockClientError) this.close(reason, error.code);
    else this.#lost(1006, reason);
  }

  #receive(data: unknown): void {
    let message: ControlMessage | FlockEvent;
    try {
      message = JSON.parse(data as string);
    } catch {
      return;
    }
    if (typeof message?.type !== "string") return;
    this.#receivedAt = now();
    const attempt = this.#attempt;
    try {
      this.#handle(message);
    } catch (error) {
      // A listener can have closed the connection.
      if (this.#attempt !== attempt) return;
      // The cursor is past the message, so the next connection does not fail in the same way.
      this.#lost(
        1011,
        `Connection closed: the client cannot read a message \`${message.type}\` of the server: ${error}.`,
      );
    }
  }

  /** Handles a message. Listeners do not throw, so an exception is due to a message that breaks the contract. */
  #handle(message: ControlMessage | FlockEvent): void {
    const { cursor, deliver } = this.#deps;
    const attempt = this.#attempt;
    const startsAtHead = !cursor.position;
    if (!cursor.advance(message)) return;
    const { seq, head = seq ?? 0 } = message as { seq?: number; head?: number };
    this.#head = message.type === "hello" ? head : Math.max(this.#head, head);
    if (message.type === "hello") this.#ready(message, startsAtHead);
    else if (message.type === "caught_up") this.#set({ status: "live" });
    else if (message.type === "ping") this.#set({});
    else if (message.type === "reply" && message.id === SUBSCRIBE_ID) this.#subscribed(message);
    else if (message.type === "goodbye") {
      this.#goodbye = message;
      this.#set({ reason: message.reason });
    }
    // A listener of the state can have closed the connection.
    if (this.#attempt === attempt) deliver(message);
  }

  #ready(hello: ControlOf<"hello">, startsAtHead: boolean): void {
    const protocol: number = hello.protocol ?? PROTOCOL;
    if (protocol !== PROTOCOL) {
      const versions = `the server speaks version ${protocol} of the wire contract, and this client version ${PROTOCOL}`;
      return this.close(`Connection closed: ${versions}. Update the older one.`, "unsupported_protocol");
    }
    const { epoch, heartbeat_interval, connection_id, limited, max_message_bytes } = hello;
    this.#readyAt = this.#receivedAt.monotonic;
    this.#maxMessageBytes = max_message_bytes ?? MAX_MESSAGE_BYTES;
    const heartbeatS = heartbeat_interval && heartbeat_interval > 0 ? heartbeat_interval : DEFAULT_HEARTBEAT_S;
    this.#silenceLimitMs = timerDelay(this.#options.silenceMs ?? heartbeatS * 2_000);
    this.#question?.abort();
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#checkSilence(), this.#silenceLimitMs / 4);
    const filter = this.#deps.lateFilter();
    if (filter) {
      this.send(JSON.stringify({ ...this.#deps.cursor.position, id: SUBSCRIBE_ID, type: "subscribe", filter }));
    }
    const status = startsAtHead && !filter ? "live" : "catching-up";
    this.#set({ status, epoch, connectionId: connection_id, limited: !!limited, reason: null, code: null });
  }

  /** Handles the reply to the connection's own `subscribe`. An invalid filter is as final as one in the URL. */
  #subscribed({ ok, error }: ControlOf<"reply">): void {
    if (ok) return;
    if (error?.code.startsWith("invalid_")) this.close(error.message, error.code);
    else this.#lost(1011, error?.message ?? "");
  }

  /** A dead network reports no close, so silence is the only sign of it. */
  #checkSilence(): void {
    const { wall, monotonic } = now();
    const silentMs = Math.max(wall - this.#receivedAt.wall, monotonic - this.#receivedAt.monotonic);
    if (silentMs >= this.#silenceLimitMs) this.#lost(1006, "Connection timed out.");
    else if (silentMs >= this.#silenceLimitMs / 2) this.#ping();
  }

  #ping(): void {
    if (this.isReady) this.send(JSON.stringify({ id: PING_ID, type: "ping" }));
  }

  /** The device, the page or the network is back: reconnects at once, or expects an early sign of life. */
  readonly #wake = (): void => {
    if ((globalThis as { document?: { visibilityState?: string } }).document?.visibilityState === "hidden") return;
    if (this.isReady) this.#checkSilence();
    this.retryNow();
    if (!this.isReady) return;
    this.#ping();
    const spentMs = Math.max(0, this.#silenceLimitMs - WAKE_LIMIT_MS);
    const { wall, monotonic } = now();
    this.#receivedAt = { wall: wall - spentMs, monotonic: monotonic - spentMs };
  };

  #lost(closeCode: number, said: string): void {
    const hadHello = this.#readyAt !== undefined;
    const wasStable = hadHello && now().monotonic - (this.#readyAt ?? 0) > STABLE_AFTER_MS;
    this.#abandon();
    const action = actionAfterClose(closeCode);
    const reason = said || this.#goodbye?.reason || `Connection lost (code ${closeCode}).`;
    this.#deps.disconnected(closeCode);
    if (action === "stop") return this.close(reason, STOP_CODES[closeCode]);
    const attempt = wasStable ? 0 : this.#state.attempt;
    const { minMs = 250, maxMs = 15_000 } = this.#options.backoff ?? {};
    const bound = Math.min(maxMs, minMs * 2 ** (action === "backoff" ? attempt + 2 : attempt));
    const delay = timerDelay(this.#goodbye?.retry_after_ms ?? Math.random() * bound);
    this.#timer = setTimeout(this.retryNow, delay);
    if (!hadHello) void this.#explain();
    this.#set({ status: "waiting", attempt, retryAt: Date.now() + delay, reason, code: null });
  }

  /** Finds out why the handshake failed, while the retry is pending. */
  async #explain(): Promise<void> {
    // The first ticket can have expired or been used up. The next attempt has another one. If that fails too, a third one
    // that was never used makes the answer certain.
    if (this.#deps.hasFreshUrls && this.#state.attempt < 2) return;
    const { WebSocket, fetch = WebSocket ? undefined : globalThis.fetch } = this.#options;
    this.#question?.abort();
    const { signal } = (this.#question = new AbortController());
    try {
      const refusal = fetch ? await askForRefusal(await this.#deps.url(), fetch, signal) : await this.#refusedBy;
      if (!refusal || signal.aborted) return;
      if (refusal.isFinal) this.close(refusal.message, refusal.code);
      else this.#set({ reason: refusal.message, code: refusal.code });
    } catch {
      // The server is not reachable, or there is no URL: the next attempt reports it.
    }
  }

  /** Stops the timer, and closes the socket without waiting for its close event. */
  #abandon(): void {
    clearTimeout(this.#timer);
    this.#attempt = undefined;
    this.#readyAt = undefined;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #set(change: Partial<ConnectionState>): void {
    this.#state = { ...this.state, ...change };
    this.#watchers.call();
  }
}

function now(): { readonly wall: number; readonly monotonic: number } {
  return { wall: Date.now(), monotonic: performance.now() };
}

/** Returns what emits an event of {@link WAKE_UPS}; undefined or without listeners outside of browsers. */
function targetOf(type: string): Partial<EventTarget> | undefined {
  const { document } = globalThis as { document?: Partial<EventTarget> };
  return type === "visibilitychange" ? document : globalThis;
}
