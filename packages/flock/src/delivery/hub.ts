import type { Socket } from "node:net";
import { CLOSE, type ConnectionInfo, type ConnectQuery, PROTOCOL_VERSION, type Principal } from "@flock-ts/protocol";
import type { WebSocket } from "ws";
import type { EventLog } from "../log/event-log.ts";
import { Chunks } from "./chunks.ts";
import { Cohorts } from "./cohorts.ts";
import type { Commands } from "./commands.ts";
import { PLAIN } from "./encoding.ts";
import { FlushWindow } from "./flush-window.ts";
import { EventStream } from "./sse/event-stream.ts";
import { EventStreamWriter } from "./sse/event-stream-writer.ts";
import type { CommandQueue, HubContext, Subscriber } from "./subscriber.ts";
import { TimeSlices } from "./time-slices.ts";
import { Connection, pingFrames } from "./websocket/connection.ts";
import { DEFLATED } from "./websocket/deflater.ts";
import { DEFAULT_LIMITS, type RateLimits } from "./websocket/rate-limiter.ts";

/** What a hub is told. */
export interface HubOptions {
  readonly log: EventLog;
  /** What the clients' commands act upon. */
  readonly target: Commands;
  readonly serverVersion: string;
  /** Seconds between two heartbeats; null: none. */
  readonly heartbeatInterval: number | null;
  /** What each connection may ask for. Default {@link DEFAULT_LIMITS}. */
  readonly limits?: RateLimits;
  /** Is told of errors that clients are not told about. */
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What a hub does, in numbers. Counters count from its start. */
export interface HubStats {
  /** Clients that are connected. */
  readonly connections: number;
  /** Of them, those that are behind: slow, or still being sent what they missed. */
  readonly lagging: number;
  /** Events sent, over all clients. */
  readonly deliveries: number;
  /** Bytes handed to sockets. */
  readonly bytesSent: number;
  /** How many events the client that is furthest behind has yet to be sent. */
  readonly maxLag: number;
  /** Commands received, refused ones included. */
  readonly commands: number;
}

/** How much is sent to everyone before the next look at the log: a stretch of memory without a seam. */
const SLICE_BYTES = 256 * 1024;
/** While agents publish, those who are behind have one part in this many plus one of the time. */
const REST_PER_REPLAY = 4;
/** A server that went away is back after this at the earliest; and so long per client its clients spread out over. */
const RETRY_AFTER_MS = { least: 500, perClient: 5, mostSpread: 30_000 };

/** Sends the log to every client, each from where it is. */
export class Hub implements HubContext {
  readonly log: EventLog;
  readonly target: Commands;
  readonly limits: RateLimits;
  readonly #options: HubOptions;
  readonly chunks: Chunks;
  readonly #subscribers = new Set<Subscriber>();
  readonly #eventStreamWriter: EventStreamWriter;
  readonly #live = new Cohorts();
  readonly #window = new FlushWindow(() => this.#sendToLive());
  // Queues of their own: a command does not wait until a thousand replays have had their chunks.
  readonly #replays = new TimeSlices<Subscriber>(
    (subscriber) => subscriber.advance(),
    (subscriber, error) => subscriber.fail(error),
    (workedMs) => (this.#agentsWork() ? workedMs * REST_PER_REPLAY : 0),
  );
  readonly #commandTurns = new TimeSlices<CommandQueue>(
    (commandQueue) => commandQueue.work(),
    (commandQueue, error) => commandQueue.fail(error),
  );
  readonly #beats = new TimeSlices<Subscriber>(
    (subscriber) => subscriber.beat(this.#ping),
    (subscriber, error) => subscriber.fail(error),
  );
  /** What the heartbeat sends: made once for everyone. */
  #ping: Buffer = Buffer.alloc(0);
  #position: number;
  /** How many events there were when a subscriber last had its turn. */
  #seenAppended = 0;
  #deliveries = 0;
  #bytesSent = 0;
  #commands = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #stopListening: () => void;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.log = options.log;
    this.chunks = new Chunks(options.log);
    this.#eventStreamWriter = new EventStreamWriter(options.log.epoch);
    this.target = options.target;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.#position = options.log.head;
    this.#stopListening = options.log.onGrowth(() => this.#window.request());
    if (options.heartbeatInterval !== null) {
      this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatInterval * 1000).unref();
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
      commands: this.#commands,
    };
  }

  /** Those of its clients that are furthest behind, and then those that have been there longest. */
  connections(limit: number): ConnectionInfo[] {
    // Readers stand in the order in which they came, and sorting keeps it.
    return [...this.#subscribers]
      .sort((a, b) => b.lag - a.lag)
      .slice(0, limit)
      .map((subscriber) => subscriber.info());
  }

  /** Takes in a WebSocket whose handshake is done. `socket` is the one under it. */
  connect(websocket: WebSocket, socket: Socket, query: ConnectQuery, principal: Principal): void {
    // Whether it was negotiated is for `ws` to know; where it was not, there is nothing to ask.
    const deflates = websocket.extensions?.includes("permessage-deflate");
    this.#welcome(new Connection(this, websocket, socket, deflates ? DEFLATED : PLAIN, principal), query);
  }

  /** Takes in a client of Server-Sent Events: `socket` is that of a response whose head is out and whose body ends with it. */
  connectEventStream(socket: Socket, query: ConnectQuery, principal: Principal): void {
    this.#welcome(new EventStream(this, socket, this.#eventStreamWriter, principal), query);
  }

  #welcome(subscriber: Subscriber, { since, epoch, filter }: ConnectQuery): void {
    if (this.#closing) {
      subscriber.close(CLOSE.tryAgainLater);
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
      ...(subscriber.principal.kind === "owner" ? {} : { limited: true as const }),
    });
    subscriber.open(filter, { since, epoch });
  }

  /** Sends what there is, says goodbye to everyone, and closes. Resolves when all are gone, within about a second. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#stopListening();
    clearInterval(this.#heartbeat);
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

  takeTurn(subscriber: Subscriber): void {
    this.#replays.take(subscriber);
  }

  takeCommandTurn(commandQueue: CommandQueue): void {
    this.#commandTurns.take(commandQueue);
  }

  sent(events: number, bytes: number): void {
    this.#deliveries += events;
    this.#bytesSent += bytes;
  }

  received(): void {
    this.#commands += 1;
  }

  closed(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#onEmpty?.();
  }

  failed(error: unknown, what: string): void {
    this.#options.onFailure(error, what);
  }

  /** Whether anything has been published since the last time this was asked. */
  #agentsWork(): boolean {
    const before = this.#seenAppended;
    this.#seenAppended = this.log.appended;
    return this.#seenAppended > before;
  }

  #sendToLive(): void {
    const { buffer } = this.log;
    while (this.#position < buffer.head) {
      if (this.#position + 1 < buffer.oldest) {
        // More came in one go than the buffer holds: everyone is behind, and will be told of the gap.
        this.#live.miss(this.#position);
        this.#position = buffer.head;
        return;
      }
      const batch = buffer.read(this.#position, buffer.head, undefined, SLICE_BYTES);
      this.#live.deliver(buffer, this.#position, batch);
      this.#position = batch.seq;
    }
  }

  #beat(): void {
    // When one round takes longer than the interval, clients are asked as often as it goes.
    if (!this.#beats.isIdle) return;
    this.#ping = pingFrames({ type: "ping", timestamp: new Date().toISOString(), head: this.#position });
    for (const subscriber of this.#subscribers) this.#beats.take(subscriber);
  }
}
