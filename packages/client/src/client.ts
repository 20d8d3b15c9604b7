import type {
  AnswerRequest,
  CancelRequest,
  CancelResult,
  ControlMessage,
  ControlOf,
  EventOf,
  EventType,
  Filter,
  FlockEvent,
  GraphSnapshot,
  InvokeRequest,
  InvokeResult,
  PauseRequest,
  PauseResult,
  PublishRequest,
  PublishResult,
} from "@flock-ts/protocol";
import { actionAfterClose } from "@flock-ts/protocol/close-codes";
import { factsOf, matches } from "@flock-ts/protocol/matching";
import { addressOf, type Place } from "./address.ts";
import { FlockClientError } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";

/** What {@link connect} can be told. */
export interface ConnectOptions {
  /** Only events that pass. Default: all. */
  readonly filter?: Filter;
  /** Where to begin: a seq, 0 for all that is kept, -N for the newest N that match. Default: what happens from now on. */
  readonly since?: number;
  /** Which log `since` belongs to, when the application has kept both from an earlier life. */
  readonly epoch?: string;
  /** How long a command may take, in ms, time without a connection included. Default 10,000. */
  readonly commandTimeoutMs?: number;
  /** Pauses between attempts grow from `minMs` (250) to `maxMs` (15,000), and are random below that (full jitter). */
  readonly backoff?: { readonly minMs?: number; readonly maxMs?: number };
  /** When nothing is heard for so long, in ms, the server is dead. Default: two of its heartbeats, or 60,000 without. */
  readonly silenceMs?: number;
  /** Another implementation than the platform's, for tests and old platforms. */
  readonly WebSocket?: typeof WebSocket;
}

/** How the connection stands. A new object whenever something in it has changed. */
export interface ConnectionState {
  /**
   * `connecting`: an attempt is under way. `catching-up`: connected, and being sent what was missed. `live`: up to date.
   * `waiting`: not connected, the next attempt comes at `retryAt`. `closed`: for good.
   */
  readonly status: "connecting" | "catching-up" | "live" | "waiting" | "closed";
  /** Attempts since the last good connection. */
  readonly attempt: number;
  /** When the next attempt comes, as `Date.now()` counts; null unless `waiting`. */
  readonly retryAt: number | null;
  /** Which log the seqs belong to; null before the first connection. */
  readonly epoch: string | null;
  /** What the server calls the connection that is, or was last: null before the first. */
  readonly connectionId: string | null;
  /** The newest seq that the server has told of. */
  readonly head: number;
  /** Whether there may be events in the log that are hidden from this client. */
  readonly limited: boolean;
  /** Why there is no connection, in one sentence; null when there is one. */
  readonly reason: string | null;
}

/** What `on` can listen to: each event type, `event` for all of them, and the messages beside the log that matter. */
export type Listenable = EventType | "event" | "gap" | "caught_up" | "error";

/** What a listener is given. */
export type Heard<K extends Listenable> = K extends EventType
  ? EventOf<K>
  : K extends "event"
    ? FlockEvent
    : ControlOf<Extract<K, "gap" | "caught_up" | "error">>;

interface Command {
  readonly message: Record<string, unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: FlockClientError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  sent: boolean;
}

/** A connection that lasted so long, in ms, was a good one: the next pause is a short one again. */
const GOOD_AFTER_MS = 5_000;
const DEFAULT_SILENCE_MS = 60_000;

/**
 * A connection to a Flock server that heals itself: it comes back after every break and goes on where it was, so that
 * the application sees each event once and in order, or hears of the `gap`.
 */
export class FlockClient {
  readonly #url: string | URL;
  readonly #options: ConnectOptions;
  readonly #listeners = new Map<string, Set<(message: never) => void>>();
  readonly #watchers = new Set<() => void>();
  readonly #queues = new Map<EventQueue, Filter>();
  readonly #commands = new Map<number, Command>();
  /** How far each stream has come that has not ended, in UTF-16 code units. */
  readonly #streamed = new Map<string, number>();
  #filter: Filter;
  #place: Place | undefined;
  /** Whether `#place` is where we are, not only where we asked to begin. */
  #arrived = false;
  #socket: WebSocket | undefined;
  /** The epoch of the log that this connection reads; `#place` takes it over when it has been told what is missing. */
  #epochOfConnection = "";
  #open = false;
  #openedAt = 0;
  #heardAt = 0;
  #lastId = 0;
  #retryAfterMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #state: ConnectionState = {
    status: "connecting",
    attempt: 0,
    retryAt: null,
    epoch: null,
    connectionId: null,
    head: 0,
    limited: false,
    reason: null,
  };

  /** See {@link connect}. */
  constructor(url: string | URL, options: ConnectOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#filter = options.filter ?? {};
    if (options.since !== undefined) this.#place = { since: options.since, epoch: options.epoch };
    // A laptop that wakes need not wait for the next attempt.
    globalThis.addEventListener?.("online", this.retryNow);
    this.#connect();
  }

  /** How the connection stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** The seq up to which the application has been given everything; undefined before the first connection. */
  get seq(): number | undefined {
    return this.#arrived ? this.#place?.since : undefined;
  }

  /** Calls `listener` whenever `state` has changed. Returns how to stop that. Together with `getSnapshot` a React store. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  };

  /** The same as `state`, free of `this`. */
  readonly getSnapshot = (): ConnectionState => this.#state;

  /** Calls `listener` with each event of a type, with every `event`, or with each `gap`, `caught_up` or `error`. Returns how to stop that. */
  on<K extends Listenable>(what: K, listener: (message: Heard<K>) => void): () => void {
    let listeners = this.#listeners.get(what);
    if (!listeners) this.#listeners.set(what, (listeners = new Set()));
    listeners.add(listener as never);
    return () => listeners.delete(listener as never);
  }

  /**
   * The events from now on that pass `filter` (and the connection's own), to loop over. Ends when the client is closed;
   * leave the loop to stop. What the loop has not come to waits in memory.
   */
  events(filter: Filter = {}): AsyncIterableIterator<FlockEvent, undefined> {
    const queue = new EventQueue((ended) => this.#queues.delete(ended));
    if (this.#state.status === "closed") queue.end();
    else this.#queues.set(queue, filter);
    return queue;
  }

  /** Wants other events from now on; nothing in between is missed. Resolves when the server has agreed. */
  async setFilter(filter: Filter): Promise<void> {
    this.#filter = filter;
    await this.#command({ type: "subscribe", filter });
  }

  /**
   * Puts an artifact on the blackboard. Sent again after a break, under a key by which the server knows it: it is
   * published once. All commands throw FlockClientError: the server's code, `timeout` or `closed`.
   */
  publish(request: PublishRequest): Promise<PublishResult & { seq: number }> {
    return this.#command({ type: "publish", idempotency_key: randomKey(), ...request });
  }

  /** Answers a question of an agent, by its artifact's id. Sent again after a break, and counts once. */
  answer(questionId: string, request: AnswerRequest): Promise<PublishResult & { seq: number }> {
    return this.#command({ type: "answer", question_id: questionId, idempotency_key: randomKey(), ...request });
  }

  /** Runs one agent on given inputs. Not sent again after a break: then it throws `connection_lost`, and may have run. */
  invoke(request: InvokeRequest): Promise<InvokeResult & { seq: number }> {
    return this.#command({ type: "invoke", ...request });
  }

  /** Ends a run, or all runs of a workflow. */
  cancel(request: CancelRequest): Promise<CancelResult & { seq: number }> {
    return this.#command({ type: "cancel", ...request });
  }

  /** Lets nothing of an agent begin until it is resumed, or of any agent. For the owner alone. */
  pause(request: PauseRequest = {}): Promise<PauseResult> {
    return this.#command({ type: "pause", ...request });
  }

  /** Lets an agent go on, or all. For the owner alone. */
  resume(request: PauseRequest = {}): Promise<PauseResult> {
    return this.#command({ type: "resume", ...request });
  }

  /** The graph with status and counters, and the seq it stands at. */
  graph(): Promise<GraphSnapshot> {
    return this.#command({ type: "graph" });
  }

  /** Asks for a sign of life. Resolves to the server's time. */
  ping(): Promise<{ timestamp: string; seq: number }> {
    return this.#command({ type: "ping" });
  }

  /** Does not wait for the next attempt when one is due later. */
  readonly retryNow = (): void => {
    if (this.#state.status !== "waiting") return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  /** Ends the connection for good, and every loop and command with it. */
  close(): void {
    this.#end(null);
  }

  /** Ends like `close`, at the end of a `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #connect(): void {
    const place = this.#place;
    const { attempt } = this.#state;
    this.#set({ status: "connecting", attempt: attempt + 1, retryAt: null });
    this.#retryAfterMs = undefined;
    this.#openedAt = 0;
    const Socket = this.#options.WebSocket ?? WebSocket;
    const socket = new Socket(addressOf(this.#url, this.#filter, place));
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    // Says nothing that the close that follows does not say.
    socket.onerror = () => {};
  }

  #receive(data: unknown): void {
    let message: ControlMessage | FlockEvent;
    try {
      message = JSON.parse(data as string);
    } catch {
      return;
    }
    this.#heardAt = Date.now();
    if ("seq" in message && message.type !== "reply" && message.type !== "caught_up") {
      this.#take(message);
      return;
    }
    switch (message.type) {
      case "hello":
        this.#hello(message);
        return;
      case "gap":
        // Only what is missing after our place is news; in another log no seq of ours means anything.
        this.#arrive(message.reason === "epoch" ? message.to_seq : Math.max(message.to_seq, this.#place?.since ?? 0));
        this.#emit("gap", message);
        return;
      case "caught_up":
        this.#arrive(Math.max(message.seq, this.#arrived ? (this.#place?.since ?? 0) : 0));
        this.#set({ status: "live" });
        this.#emit("caught_up", message);
        return;
      case "ping":
        this.#set({ head: message.head });
        return;
      case "goodbye":
        this.#retryAfterMs = message.retry_after_ms;
        this.#set({ reason: message.reason });
        return;
      case "reply":
        this.#reply(message);
        return;
      case "error":
        this.#emit("error", message);
    }
  }

  #hello({ epoch, head, heartbeat_interval, connection_id, limited }: ControlOf<"hello">): void {
    this.#epochOfConnection = epoch;
    this.#open = true;
    this.#openedAt = Date.now();
    const startsNow = this.#place === undefined;
    if (startsNow) this.#arrive(head);
    this.#watchSilence(
      this.#options.silenceMs ?? (heartbeat_interval === null ? DEFAULT_SILENCE_MS : heartbeat_interval * 2_000),
    );
    const told = { epoch, connectionId: connection_id, head, limited: limited === true };
    this.#set({ status: startsNow ? "live" : "catching-up", ...told, reason: null });
    for (const [id, command] of this.#commands) this.#send(id, command);
  }

  #take(event: FlockEvent): void {
    if (this.#arrived && event.seq <= (this.#place?.since ?? 0)) return;
    this.#arrive(event.seq);
    if (event.type === "streaming_output") this.#cutOff(event);
    else if (event.type === "agent_execution_completed") this.#streamed.delete(event.run_id);
    for (const [queue, filter] of this.#queues) if (matches(filter, factsOf(event))) queue.push(event);
    this.#emit(event.type, event);
    this.#emit("event", event);
  }

  /** The log merges what a run has streamed long ago: such an event may begin before what we have of it. */
  #cutOff(event: EventOf<"streaming_output">): void {
    const { run_id, content, offset, is_complete } = event;
    const known = this.#streamed.get(run_id) ?? 0;
    if (is_complete) this.#streamed.delete(run_id);
    else this.#streamed.set(run_id, Math.max(known, offset + content.length));
    if (offset >= known) return;
    event.content = content.slice(known - offset);
    event.offset = offset + content.length - event.content.length;
  }

  #arrive(since: number): void {
    this.#place = { since, epoch: this.#epochOfConnection };
    this.#arrived = true;
  }

  #lost(code: number, said: string): void {
    this.#detach();
    const isGood = this.#openedAt > 0 && Date.now() - this.#openedAt > GOOD_AFTER_MS;
    const action = actionAfterClose(code);
    const reason = said || this.#state.reason || (code === 1006 ? "the connection broke" : `closed with ${code}`);
    for (const [id, command] of this.#commands) {
      if (command.sent && command.message.type === "invoke") {
        this.#settle(id)?.reject(
          new FlockClientError({ code: "connection_lost", message: "the connection broke: the agent may have run" }),
        );
      }
      command.sent = false;
    }
    if (action === "stop") {
      this.#end(reason);
      return;
    }
    const attempt = isGood ? 0 : this.#state.attempt;
    const { minMs = 250, maxMs = 15_000 } = this.#options.backoff ?? {};
    const most = Math.min(maxMs, minMs * 2 ** (action === "backoff" ? attempt + 2 : attempt));
    const wait = this.#retryAfterMs ?? Math.random() * most;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#set({ status: "waiting", attempt, retryAt: Date.now() + wait, reason });
  }

  /** Lets go of the socket: whatever it still says concerns nobody. */
  #detach(): void {
    clearInterval(this.#watch);
    this.#open = false;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** A dead network closes nothing: after half the time of silence we ask, after all of it we leave. */
  #watchSilence(limit: number): void {
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      const silent = Date.now() - this.#heardAt;
      if (silent >= limit) this.#lost(1006, "the server has fallen silent");
      else if (silent >= limit / 2) this.ping().catch(() => {});
    }, limit / 4);
  }

  #command<R>(message: Record<string, unknown>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#state.status === "closed") {
        reject(new FlockClientError({ code: "closed", message: this.#state.reason ?? "the client is closed" }));
        return;
      }
      const id = ++this.#lastId;
      const limit = this.#options.commandTimeoutMs ?? 10_000;
      const timer = setTimeout(() => {
        const message = `no answer to ${command.message.type} within ${limit} ms`;
        this.#settle(id)?.reject(new FlockClientError({ code: "timeout", message }));
      }, limit);
      const command: Command = { message, resolve, reject, timer, sent: false };
      this.#commands.set(id, command);
      if (this.#open) this.#send(id, command);
    });
  }

  #send(id: number, command: Command): void {
    if (this.#socket?.readyState !== 1) return;
    command.sent = true;
    this.#socket.send(JSON.stringify({ id, ...command.message }));
  }

  #reply({ id, ok, seq, result, error }: ControlOf<"reply">): void {
    const command = this.#settle(id as number);
    if (!command) return;
    if (ok) command.resolve({ ...(result as object), seq } as never);
    else command.reject(new FlockClientError(error ?? { code: "internal", message: "the server gave no reason" }));
  }

  #settle(id: number): Command | undefined {
    const command = this.#commands.get(id);
    if (command) clearTimeout(command.timer);
    this.#commands.delete(id);
    return command;
  }

  #end(reason: string | null): void {
    if (this.#state.status === "closed") return;
    this.#detach();
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.retryNow);
    this.#set({ status: "closed", retryAt: null, reason });
    for (const queue of this.#queues.keys()) queue.end();
    this.#queues.clear();
    for (const id of this.#commands.keys()) {
      this.#settle(id)?.reject(
        new FlockClientError({ code: "closed", message: reason ?? "the client was closed before the answer came" }),
      );
    }
  }

  #set(change: Partial<ConnectionState>): void {
    const attempt = change.status === "live" || change.status === "catching-up" ? this.#state.attempt : undefined;
    this.#state = { ...this.#state, ...change, ...(attempt === undefined ? {} : { attempt }) };
    for (const watcher of this.#watchers) watcher();
  }

  #emit(what: string, message: unknown): void {
    for (const listener of this.#listeners.get(what) ?? []) {
      try {
        listener(message as never);
      } catch (error) {
        // A listener's mistake is reported as such; the others hear the event all the same.
        reportError(error);
      }
    }
  }
}

/**
 * Connects to a Flock server's WebSocket, and stays connected.
 *
 * @param url such as `http://localhost:8000/plugin/ws`; in a browser a path alone will do.
 */
export function connect(url: string | URL, options?: ConnectOptions): FlockClient {
  return new FlockClient(url, options);
}

function reportError(error: unknown): void {
  const report = (globalThis as { reportError?: (error: unknown) => void }).reportError;
  if (report) report(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}

/** `randomUUID` exists only on secure pages; this works everywhere. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
}
