import type { Socket } from "node:net";
import { CLOSE, type ConnectionInfo, type ConnectQuery, PROTOCOL_VERSION, type Principal } from "@flock-ts/protocol";
import type { WebSocket } from "ws";
import { type Clock, systemClock } from "../core/clock.ts";
import type { EventLog } from "../log/event-log.ts";
import { AttendedTime } from "./attended-time.ts";
import { Chunks } from "./chunks.ts";
import { Cohorts } from "./cohorts.ts";
import type { Commands } from "./commands.ts";
import { PLAIN } from "./encoding.ts";
import { FlushWindow } from "./flush-window.ts";
import type { HubContext, PendingCommands } from "./hub-context.ts";
import { EventStream } from "./sse/event-stream.ts";
import { EventStreamWriter } from "./sse/event-stream-writer.ts";
import type { Subscriber } from "./subscriber.ts";
import { TimeSlices } from "./time-slices.ts";
import { Connection, pingFrames } from "./websocket/connection.ts";
import { DEFLATED } from "./websocket/deflater.ts";
import { DEFAULT_LIMITS, type RateLimits } from "./websocket/rate-limiter.ts";

/** The options of a {@link Hub}. */
export interface HubOptions {
  readonly log: EventLog;
  /** Executes the commands of clients. */
  readonly commands: Commands;
  readonly serverVersion: string;
  /** Seconds between two heartbeats of WebSockets; null: no heartbeats. */
  readonly heartbeatInterval: number | null;
  /** The rate limits of each connection. Default {@link DEFAULT_LIMITS}. */
  readonly limits?: RateLimits;
  /** The largest message of a client, in bytes. `hello` reports it. */
  readonly maxMessageBytes?: number;
  /** Receives failures whose details clients do not receive. */
  readonly onFailure: (error: unknown, what: string) => void;
  /** Default: the system clock, also when the flock runs on a test clock: the peers of sockets live in real time. */
  readonly clock?: Clock;
}

/** The statistics of a hub. Counters start with the hub. */
export interface HubStats {
  /** Connected clients. */
  readonly connections: number;
  /** Connected clients that are behind: slow, or in a replay. */
  readonly lagging: number;
  /** Events sent, counted per client. */
  readonly deliveries: number;
  /** Bytes written to sockets. */
  readonly bytesSent: number;
  /** The largest lag of a client, in events. */
  readonly maxLag: number;
  /** Commands received, including refused ones. */
  readonly commands: number;
}

/** The most bytes per batch for live clients. */
const BATCH_BYTES = 256 * 1024;
/** While agents publish, replays rest this many times as long as they work: they get a fifth of the time. */
const REST_PER_REPLAY = 4;
/** The longest time between two comments to an event stream, in ms, as the HTML standard recommends (section 9.2.7). */
const KEEP_ALIVE_MS = 15_000;
/** When clients reconnect after a shutdown, in ms: not before `least`, and spread over a time that grows with their number. */
const RETRY_AFTER_MS = { least: 500, perClient: 5, mostSpread: 30_000 };

/** Sends the log to all clients, each from its own position. */
export class Hub implements HubContext {
  readonly log: EventLog;
  readonly commands: Commands;
  readonly limits: RateLimits;
  readonly clock: Clock;
  readonly attended: AttendedTime | undefined;
  readonly chunks: Chunks;
  readonly #options: HubOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #live = new Cohorts();
  readonly #eventStreamWriter: EventStreamWriter;
  readonly #window: FlushWindow;
  // Three queues: a command or heartbeat does not wait for the replays of a thousand clients.
  readonly #replays: TimeSlices<Subscriber>;
  readonly #commandSlices: TimeSlices<PendingCommands>;
  readonly #heartbeats: TimeSlices<Subscriber>;
  /** The current heartbeat, encoded once for all clients. */
  #ping: Buffer = Buffer.alloc(0);
  #position: number;
  /** `log.appended` at the last time slice of replays. */
  #seenAppended = 0;
  #deliveries = 0;
  #bytesSent = 0;
  #commandCount = 0;
  #stopHeartbeat = () => {};
  /** Stops the comments to event streams; undefined without event streams. */
  #stopKeepAlive: (() => void) | undefined;
  readonly #stopListening: () => void;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: HubOptions) {
    const { log, commands, limits = DEFAULT_LIMITS, clock = systemClock } = options;
    this.#options = options;
    this.log = log;
    this.commands = commands;
    this.limits = limits;
    this.clock = clock;
    this.chunks = new Chunks(log);
    this.#position = log.head;
    this.#eventStreamWriter = new EventStreamWriter(log.epoch);
    this.#window = new FlushWindow(clock, () => this.#sendToLive());
    this.#replays = new TimeSlices({
      clock,
      work: (subscriber) => subscriber.advance(),
      failed: (subscriber, error) => subscriber.fail(error),
      restAfter: (workedMs) => (this.#hasLogGrown() ? workedMs * REST_PER_REPLAY : 0),
    });
    this.#commandSlices = new TimeSlices({
      clock,
      work: (pending) => pending.work(),
      failed: (pending, error) => pending.fail(error),
    });
    this.#heartbeats = new TimeSlices({
      clock,
      work: (subscriber) => subscriber.sendHeartbeat(this.#ping),
      failed: (subscriber, error) => subscriber.fail(error),
    });
    this.#stopListening = log.onGrowth(() => this.#window.request());
    if (options.heartbeatInterval !== null) {
      const intervalMs = options.heartbeatInterval * 1_000;
      this.attended = new AttendedTime(clock, intervalMs);
      this.#scheduleHeartbeat(intervalMs);
    }
  }

  get position(): number {
    return this.#position;
  }

  /** How many clients are connected. */
  get connectionCount(): number {
    return this.#subscribers.size;
  }

  stats(): HubStats {
    let lagging = 0;
    let maxLag = 0;
    for (const subscriber of this.#subscribers) {
      if (subscriber.isBehind) lagging += 1;
      maxLag = Math.max(maxLag, subscriber.lag);
    }
    return {
      connections: this.#subscribers.size,
      lagging,
      deliveries: this.#deliveries,
      bytesSent: this.#bytesSent,
      maxLag,
      commands: this.#commandCount,
    };
  }

  /** Returns clients with the largest lag first, equal ones in the order in which they connected. */
  connections(limit: number): ConnectionInfo[] {
    return [...this.#subscribers]
      .sort((a, b) => b.lag - a.lag)
      .slice(0, limit)
      .map((subscriber) => subscriber.info());
  }

  /** Adds a WebSocket whose handshake is complete. `socket` is the TCP socket under it. */
  connect(websocket: WebSocket, socket: Socket, query: ConnectQuery, principal: Principal): void {
    const deflates = websocket.extensions?.includes("permessage-deflate");
    this.#add(new Connection(this, websocket, socket, deflates ? DEFLATED : PLAIN, principal), query);
  }

  /** Adds a client of Server-Sent Events. `socket` is that of a response whose head is sent and whose body ends with it. */
  connectEventStream(socket: Socket, query: ConnectQuery, principal: Principal): void {
    this.#add(new EventStream(this, socket, this.#eventStreamWriter, principal, query.since === undefined), query);
    if (!this.#closing && !this.#stopKeepAlive) this.#scheduleKeepAlive();
  }

  #add(subscriber: Subscriber, { since, epoch, filter }: ConnectQuery): void {
    if (this.#closing) {
      subscriber.close(CLOSE.goingAway);
      return;
    }
    this.#subscribers.add(subscriber);
    subscriber.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      server_version: this.#options.serverVersion,
      epoch: this.log.epoch,
      head: this.#position,
      oldest: this.log.oldest,
      heartbeat_interval: this.#options.heartbeatInterval,
      connection_id: subscriber.id,
      ...(this.#options.maxMessageBytes === undefined ? {} : { max_message_bytes: this.#options.maxMessageBytes }),
      ...(subscriber.principal.kind === "owner" ? {} : { limited: true as const }),
    });
    subscriber.open(filter, { since, epoch });
  }

  /** Sends pending events, then closes all connections. Resolves when the last one has ended, within about a second. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#stopListening();
    this.#stopHeartbeat();
    this.#stopKeepAlive?.();
    this.attended?.stop();
    this.#window.flushNow();
    const { least, perClient, mostSpread } = RETRY_AFTER_MS;
    const spread = Math.min(mostSpread, Math.max(least, this.#subscribers.size * perClient));
    for (const subscriber of this.#subscribers) {
      const retry_after_ms = Math.round(least + Math.random() * spread);
      subscriber.close(CLOSE.goingAway, { type: "goodbye", reason, retry_after_ms });
    }
    if (this.#subscribers.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  flush(): void {
    this.#window.flushNow();
  }

  goLive(subscriber: Subscriber): void {
    this.#live.add(subscriber);
  }

  fallBehind(subscriber: Subscriber): void {
    this.#live.delete(subscriber);
  }

  scheduleReplay(subscriber: Subscriber): void {
    this.#replays.add(subscriber);
  }

  scheduleCommands(pending: PendingCommands): void {
    this.#commandSlices.add(pending);
  }

  countSent(events: number, bytes: number): void {
    this.#deliveries += events;
    this.#bytesSent += bytes;
  }

  countCommand(): void {
    this.#commandCount += 1;
  }

  closed(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#onEmpty?.();
  }

  failed(error: unknown, what: string): void {
    this.#options.onFailure(error, what);
  }

  /** Whether events were published since the last call. */
  #hasLogGrown(): boolean {
    const before = this.#seenAppended;
    this.#seenAppended = this.log.appended;
    return this.#seenAppended > before;
  }

  #sendToLive(): void {
    const { buffer } = this.log;
    while (this.#position < buffer.head) {
      if (this.#position + 1 < buffer.oldest) {
        // The buffer has overflowed between two flushes: all clients are behind, and continue from the store or with a gap.
        this.#live.overflow(this.#position);
        this.#position = buffer.head;
        return;
      }
      const batch = buffer.read(this.#position, buffer.head, undefined, BATCH_BYTES);
      this.#live.deliver(buffer, this.#position, batch);
      this.#position = batch.seq;
    }
  }

  #scheduleHeartbeat(intervalMs: number): void {
    this.#stopHeartbeat = this.clock.after(intervalMs, () => {
      this.#scheduleHeartbeat(intervalMs);
      this.#sendHeartbeats();
    });
  }

  #sendHeartbeats(): void {
    // If one round takes longer than the interval, the next one is skipped.
    if (!this.#heartbeats.isIdle) return;
    const timestamp = new Date(this.clock.now()).toISOString();
    this.#ping = pingFrames({ type: "ping", timestamp, head: this.#position });
    for (const subscriber of this.#subscribers) {
      if (subscriber instanceof Connection) this.#heartbeats.add(subscriber);
    }
  }

  /** Sends comments to event streams, with or without heartbeats: proxies and mobile networks cut silent responses. */
  #scheduleKeepAlive(): void {
    const interval = Math.min(KEEP_ALIVE_MS, this.attended?.intervalMs ?? KEEP_ALIVE_MS);
    this.#stopKeepAlive = this.clock.after(interval, () => {
      const streams = [...this.#subscribers].filter((subscriber) => subscriber instanceof EventStream);
      for (const stream of streams) this.#heartbeats.add(stream);
      this.#stopKeepAlive = undefined;
      if (streams.length > 0) this.#scheduleKeepAlive();
    });
  }
}
