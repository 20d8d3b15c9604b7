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
import { factsOf, type Matcher, matcherOf } from "@flock-ts/protocol/matching";
import { StreamCutter } from "@flock-ts/protocol/stream-cutter";
import { Connection, type ConnectionOptions, type ConnectionState } from "./connection.ts";
import { Cursor, isEvent } from "./cursor.ts";
import { FlockClientError } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";
import { errorReporter, Listeners } from "./listeners.ts";
import { PendingCommands } from "./pending.ts";
import { checkDurations } from "./timers.ts";
import { type Address, checkFilter, connectionUrl, fitsInUrl } from "./url.ts";

/** Settings of {@link connect}. */
export interface ConnectOptions extends ConnectionOptions {
  /** Requests only events that pass. Default: all events. */
  readonly filter?: Filter;
  /** Where to start: after this `seq`, 0 for all retained events, -N for the newest N matching ones. Default: now. */
  readonly since?: number;
  /** The log that `since` refers to, if the application stored both earlier. */
  readonly epoch?: string;
  /** How long a command may take in milliseconds, including time without a connection. Default: 10,000. */
  readonly commandTimeoutMs?: number;
  /** Receives what a listener throws, or rejects with. Default: it is reported as uncaught. */
  readonly onError?: (error: unknown) => void;
}

/** What {@link FlockClient.on} accepts: an event type, `event` for all events, or a control message. */
export type MessageType = EventType | "event" | "gap" | "caught_up" | "error";

/** The message that a listener of {@link FlockClient.on} receives. */
export type MessageOf<K extends MessageType> = K extends EventType
  ? EventOf<K>
  : K extends "event"
    ? FlockEvent
    : ControlOf<Extract<K, "gap" | "caught_up" | "error">>;

/**
 * A connection to a Flock server that reconnects and resumes: the application receives each event once and in order, or a
 * `gap` that names the missing range.
 *
 * Commands are promises. They wait for a connection, and reject with {@link FlockClientError}: the server's code,
 * `invalid_message`, `message_too_big`, `timeout`, `connection_lost` or `closed`.
 */
export class FlockClient {
  readonly #listeners = new Map<string, Listeners<never>>();
  readonly #queues = new Map<EventQueue, Matcher>();
  readonly #streams = new StreamCutter();
  readonly #onError: (error: unknown) => void;
  readonly #cursor: Cursor;
  readonly #connection: Connection;
  readonly #pending: PendingCommands;
  /** The filter that the server has accepted, and that the next connection requests. */
  #filter: Filter;

  /** Connects at once. See {@link connect}. */
  constructor(url: Address, options: ConnectOptions = {}) {
    const { since, epoch, filter = {}, commandTimeoutMs = 10_000 } = options;
    checkFilter(filter);
    checkDurations({ commandTimeoutMs, ...options, ...options.backoff });
    this.#filter = structuredClone(filter);
    this.#onError = errorReporter(options.onError);
    this.#cursor = new Cursor(since === undefined ? undefined : { since, epoch });
    const urlOf = (address: string | URL) => connectionUrl(address, this.#filter, this.#cursor.position);
    this.#connection = new Connection(
      {
        cursor: this.#cursor,
        url: typeof url === "function" ? async () => urlOf(await url()) : () => urlOf(url),
        hasFreshUrls: typeof url === "function",
        lateFilter: () => (fitsInUrl(this.#filter) ? undefined : this.#filter),
        deliver: (message) => this.#deliver(message),
        disconnected: (code) => this.#pending.disconnected(code === MESSAGE_TOO_BIG),
        closed: (reason) => this.#closed(reason),
        onError: this.#onError,
      },
      options,
    );
    this.#pending = new PendingCommands(this.#connection, commandTimeoutMs);
    this.#connection.start();
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The `seq` up to which the application has received all events; undefined before the first connection. */
  get seq(): number | undefined {
    return this.#cursor.seq;
  }

  /** Calls `listener` after each change of `state`. Returns a function that stops it. With `getSnapshot`, a React store. */
  readonly subscribe = (listener: () => void): (() => void) => this.#connection.subscribe(listener);

  /** Returns `state`. Bound, so that it can be passed on. */
  readonly getSnapshot = (): ConnectionState => this.state;

  /**
   * Calls `listener` with each message of a type. Returns a function that stops it. An error that a listener throws goes to
   * `onError`, and the other listeners still receive the message.
   */
  on<K extends MessageType>(type: K, listener: (message: MessageOf<K>) => void): () => void {
    let listeners = this.#listeners.get(type);
    if (!listeners) this.#listeners.set(type, (listeners = new Listeners(this.#onError)));
    return listeners.add(listener as never);
  }

  /**
   * Iterates over events from now on that pass `filter` and the connection's own filter. Events wait in memory until the
   * loop requests them. The loop ends when the client is closed; leave it to stop earlier.
   *
   * @throws TypeError if the filter has an unknown part.
   * @example
   * for await (const event of client.events({ types: ["artifact_published"] })) console.log(event);
   */
  events(filter: Filter = {}): AsyncIterableIterator<FlockEvent, undefined> {
    checkFilter(filter);
    const queue = new EventQueue((ended) => this.#queues.delete(ended));
    if (this.state.status === "closed") queue.end();
    else this.#queues.set(queue, matcherOf({ ...filter }));
    return queue;
  }

  /**
   * Replaces the connection's filter without a gap. Resolves when the server has applied it. If the server refuses it, the
   * old one stays.
   */
  async setFilter(filter: Filter = {}): Promise<void> {
    const own = structuredClone(filter);
    await this.#pending.request({ type: "subscribe", filter: own }, () => (this.#filter = own));
  }

  /**
   * Publishes an artifact. Sent again after a lost connection, with an idempotency key, so it is published once. Without
   * `idempotency_key`, the client generates one.
   */
  async publish(request: PublishRequest): Promise<PublishResult & { seq: number }> {
    return this.#pending.request({ ...withKey(request), type: "publish" });
  }

  /** Answers an agent's question, by the id of its artifact. Sent again after a lost connection; it counts once. */
  async answer(questionId: string, request: AnswerRequest): Promise<PublishResult & { seq: number }> {
    return this.#pending.request({ ...withKey(request), type: "answer", question_id: questionId });
  }

  /**
   * Runs one agent on given inputs. Resolves when the run is queued.
   *
   * @throws FlockClientError with code `connection_lost` if the connection is lost before the reply. The agent may have run.
   */
  async invoke(request: InvokeRequest): Promise<InvokeResult & { seq: number }> {
    return this.#pending.request({ ...request, type: "invoke" });
  }

  /** Cancels a run, or all runs of a workflow. */
  async cancel(request: CancelRequest): Promise<CancelResult & { seq: number }> {
    return this.#pending.request({ ...request, type: "cancel" });
  }

  /** Pauses an agent, or all agents: no new run starts until `resume`. Only the owner can pause agents. */
  async pause(request: PauseRequest = {}): Promise<PauseResult> {
    return this.#pending.request({ ...request, type: "pause" });
  }

  /** Resumes an agent, or all agents. Only the owner can resume agents. */
  async resume(request: PauseRequest = {}): Promise<PauseResult> {
    return this.#pending.request({ ...request, type: "resume" });
  }

  /** Returns the flow graph with the status and counters of each agent, and the `seq` that it reflects. */
  graph(): Promise<GraphSnapshot> {
    return this.#pending.request({ type: "graph" });
  }

  /** Checks that the server responds. Resolves to its time (ISO 8601) and the newest `seq`. */
  ping(): Promise<{ timestamp: string; seq: number }> {
    return this.#pending.request({ type: "ping" });
  }

  /** Starts the next connection attempt at once, instead of at `state.retryAt`. */
  readonly retryNow = (): void => this.#connection.retryNow();

  /** Closes the connection permanently. Ends all loops and rejects all pending commands with code `closed`. */
  close(): void {
    this.#connection.close(null);
  }

  /** Calls {@link close} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #deliver(message: ControlMessage | FlockEvent): void {
    if (isEvent(message)) {
      const event = this.#streams.apply(message);
      const facts = factsOf(event);
      for (const [queue, matches] of this.#queues) if (matches(facts)) queue.push(event);
      this.#emit(event.type, event);
      this.#emit("event", event);
    } else if (message.type === "hello") this.#pending.flush();
    else if (message.type === "reply") this.#pending.settle(message);
    else {
      if (message.type === "gap" && message.reason === "epoch") this.#streams.clear();
      this.#emit(message.type, message);
    }
  }

  #closed(reason: string | null): void {
    for (const queue of this.#queues.keys()) queue.end();
    this.#queues.clear();
    this.#pending.close(reason ?? "Client closed.");
  }

  #emit(type: string, message: ControlMessage | FlockEvent): void {
    this.#listeners.get(type)?.call(message as never);
  }
}

/**
 * Connects to the WebSocket endpoint of a Flock server, and reconnects after each lost connection.
 *
 * @param url for example `http://localhost:8000/plugin/ws`. In a browser, it can be relative to the page. A function is
 * called for each attempt, for example to add a ticket that expires. If it throws, the client tries again later; if it
 * throws a {@link FlockClientError}, the client closes.
 * @throws TypeError if `url` is invalid, the filter has an unknown part, or a duration is not positive.
 * @example
 * const client = connect("http://localhost:8000/plugin/ws");
 * client.on("artifact_published", ({ artifact_type, payload }) => console.log(artifact_type, payload));
 * await client.publish({ artifact_type: "Idea", payload: { text: "truffle" } });
 */
export function connect(url: Address, options?: ConnectOptions): FlockClient {
  return new FlockClient(url, options);
}

/** The close code for a message that is too big for the server or a proxy (RFC 6455 section 7.4.1). */
const MESSAGE_TOO_BIG = 1009;

/** Returns a request with an idempotency key: the application's, or a new one. */
function withKey<R extends { readonly idempotency_key?: string | undefined }>(request: R): R {
  if (typeof request !== "object" || !request) {
    const message = `Command failed: the request is \`${request}\`. Pass an object with a \`payload\`.`;
    throw new FlockClientError({ code: "invalid_message", message });
  }
  return { ...request, idempotency_key: request.idempotency_key ?? randomKey() };
}

/** Browsers offer `crypto.randomUUID` only on secure pages. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
}
