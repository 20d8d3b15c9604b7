/**
 * The connection to one server: socket, retry delays and silence watchdog.
 *
 * | status        | socket  | timer            | next status                                                        |
 * | ------------- | ------- | ---------------- | ------------------------------------------------------------------ |
 * | `connecting`  | opening | –                | `hello`: `catching-up`, or `live` if it starts at the head          |
 * | `catching-up` | open    | silence watchdog | `caught_up`: `live`                                                |
 * | `live`        | open    | silence watchdog | –                                                                  |
 * | `waiting`     | –       | retry            | retry timer, `retryNow()` or the browser's `online`: `connecting`  |
 * | `closed`      | –       | –                | none                                                               |
 *
 * From the first three, a lost socket leads to `waiting`, or to `closed` if the close code says "stop".
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
 */
import type { ControlMessage, ControlOf, FlockEvent } from "@flock-ts/protocol";
import { actionAfterClose } from "@flock-ts/protocol/close-codes";
import type { Cursor } from "./cursor.ts";

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
  /** The newest `seq` that the server reported. */
  readonly head: number;
  /** Whether the log can contain events that this client may not see. */
  readonly limited: boolean;
  /** Why there is no connection; null while connected. */
  readonly reason: string | null;
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
};

/** Settings of a connection. */
export interface ConnectionOptions {
  /**
   * Bounds of the delay between attempts, in milliseconds. The upper bound doubles from `minMs` (default 250) to `maxMs`
   * (default 15,000). The delay is random below it, so that clients of one server do not reconnect at the same time.
   */
  readonly backoff?: { readonly minMs?: number; readonly maxMs?: number };
  /** Reconnects after this many milliseconds without a message. Default: two heartbeats, or 60,000 without heartbeat. */
  readonly silenceMs?: number;
  /** The WebSocket implementation. Default: the platform's. */
  readonly WebSocket?: typeof WebSocket;
}

/** Collaborators of a connection. */
export interface ConnectionDeps {
  readonly cursor: Cursor;
  /** Returns the URL of the next attempt. */
  url(): URL;
  /** Receives each message, except events that were received before. */
  deliver(message: ControlMessage | FlockEvent): void;
  /** The socket is gone. */
  disconnected(): void;
  /** The status is `closed`. */
  closed(reason: string | null): void;
}

/** A longer connection counts as stable, in milliseconds: the next retry delay is short again. */
const STABLE_AFTER_MS = 5_000;
/** The heartbeat interval assumed for a server without heartbeat, in seconds. */
const DEFAULT_HEARTBEAT_S = 30;

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #options: ConnectionOptions;
  readonly #watchers = new Set<() => void>();
  #socket: WebSocket | undefined;
  /** When `hello` arrived on the current socket; 0 before. */
  #readyAt = 0;
  #receivedAt = 0;
  #retryAfterMs: number | undefined;
  /** The retry while `waiting`, and the silence watchdog while connected. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state = INITIAL_STATE;

  constructor(deps: ConnectionDeps, options: ConnectionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Calls `listener` after each change of the state. Returns a function that stops it. */
  subscribe(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Opens the first socket. */
  start(): void {
    this.#connect();
    globalThis.addEventListener?.("online", this.retryNow);
  }

  /** Starts the next attempt at once if the status is `waiting`. */
  readonly retryNow = (): void => {
    if (this.#state.status === "waiting") this.#connect();
  };

  /** Sends a message if the connection is ready. Returns whether it did. */
  send(message: object): boolean {
    if (!this.#readyAt || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes the connection permanently. */
  close(reason: string | null): void {
    if (this.#state.status === "closed") return;
    this.#abandon();
    globalThis.removeEventListener?.("online", this.retryNow);
    this.#set({ status: "closed", retryAt: null, reason });
    this.#deps.closed(reason);
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#retryAfterMs = undefined;
    const socket = new (this.#options.WebSocket ?? WebSocket)(this.#deps.url());
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    // Without a listener, some implementations throw. `onclose` follows and reports the cause.
    socket.onerror = () => {};
    this.#set({ status: "connecting", attempt: this.#state.attempt + 1, retryAt: null });
  }

  #receive(data: unknown): void {
    let message: ControlMessage | FlockEvent;
    try {
      message = JSON.parse(data as string);
    } catch {
      return;
    }
    this.#receivedAt = Date.now();
    const { cursor, deliver } = this.#deps;
    const startsAtHead = !cursor.position;
    if (!cursor.advance(message)) return;
    if (message.type === "hello") this.#ready(message, startsAtHead ? "live" : "catching-up");
    else if (message.type === "caught_up") this.#set({ status: "live" });
    else if (message.type === "ping") this.#set({ head: message.head });
    else if (message.type === "goodbye") {
      this.#retryAfterMs = message.retry_after_ms;
      this.#set({ reason: message.reason });
    }
    deliver(message);
  }

  #ready(
    { epoch, head, heartbeat_interval, connection_id, limited }: ControlOf<"hello">,
    status: "live" | "catching-up",
  ): void {
    this.#readyAt = this.#receivedAt;
    const limitMs = this.#options.silenceMs ?? (heartbeat_interval ?? DEFAULT_HEARTBEAT_S) * 2_000;
    clearTimeout(this.#timer);
    // A dead network reports no close, so silence is the only sign of it.
    this.#timer = setInterval(() => {
      const silentMs = Date.now() - this.#receivedAt;
      if (silentMs >= limitMs) this.#lost(1006, "Connection timed out.");
      else if (silentMs >= limitMs / 2) this.send({ id: 0, type: "ping" });
    }, limitMs / 4);
    this.#set({ status, epoch, connectionId: connection_id, head, limited: !!limited, reason: null });
  }

  #lost(code: number, said: string): void {
    const wasStable = this.#readyAt > 0 && Date.now() - this.#readyAt > STABLE_AFTER_MS;
    this.#abandon();
    const action = actionAfterClose(code);
    const reason = said || this.#state.reason || `Connection lost (code ${code}).`;
    this.#deps.disconnected();
    if (action === "stop") return this.close(reason);
    const attempt = wasStable ? 0 : this.#state.attempt;
    const { minMs = 250, maxMs = 15_000 } = this.#options.backoff ?? {};
    const bound = Math.min(maxMs, minMs * 2 ** (action === "backoff" ? attempt + 2 : attempt));
    const delay = this.#retryAfterMs ?? Math.random() * bound;
    this.#timer = setTimeout(this.retryNow, delay);
    this.#set({ status: "waiting", attempt, retryAt: Date.now() + delay, reason });
  }

  /** Stops the timer, and closes the socket without waiting for its close event. */
  #abandon(): void {
    clearTimeout(this.#timer);
    this.#readyAt = 0;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #set(change: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const watcher of this.#watchers) watcher();
  }
}
