import type { Socket } from "node:net";
import {
  CLOSE,
  type ConnectionInfo,
  type ConnectQuery,
  OWNER,
  PROTOCOL_VERSION,
  type Principal,
} from "@flock-ts/protocol";
import type { WebSocket } from "ws";
import type { EventLog } from "../events/event-log.ts";
import { type BudgetLimits, DEFAULT_LIMITS } from "./budget.ts";
import { Cohorts } from "./cohorts.ts";
import type { CommandTarget } from "./commands.ts";
import { Connection, pingFrames } from "./connection.ts";
import { DEFLATED } from "./deflater.ts";
import { PLAIN } from "./encoding.ts";
import { EventStream } from "./event-stream.ts";
import { EventStreamWriter } from "./event-stream-writer.ts";
import { FlushWindow } from "./flush-window.ts";
import type { Reader, Surroundings } from "./reader.ts";
import { Slices } from "./slices.ts";
import { Turns } from "./turns.ts";

/** What a hub is told. */
export interface HubOptions {
  readonly log: EventLog;
  /** What the clients' commands act upon. */
  readonly target: CommandTarget;
  readonly serverVersion: string;
  /** Seconds between two heartbeats; null: none. */
  readonly heartbeatInterval: number | null;
  /** What each connection may ask for. Default {@link DEFAULT_LIMITS}. */
  readonly limits?: BudgetLimits;
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
export class Hub implements Surroundings {
  readonly log: EventLog;
  readonly target: CommandTarget;
  readonly limits: BudgetLimits;
  readonly #options: HubOptions;
  readonly slices: Slices;
  readonly #readers = new Set<Reader>();
  readonly #eventStreamWriter: EventStreamWriter;
  readonly #live = new Cohorts();
  readonly #window = new FlushWindow(() => this.#sendToLive());
  // Queues of their own: a command does not wait until a thousand replays have had their slices.
  readonly #replays = new Turns<Reader>(
    (reader) => reader.advance(),
    (workedMs) => (this.#agentsWork() ? workedMs * REST_PER_REPLAY : 0),
  );
  readonly #commandTurns = new Turns<{ work(): void }>((inbox) => inbox.work());
  readonly #beats = new Turns<Reader>((reader) => reader.beat(this.#ping));
  /** What the heartbeat sends: made once for everyone. */
  #ping: Buffer = Buffer.alloc(0);
  #position: number;
  /** How many events there were when a reader last had its turn. */
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
    this.slices = new Slices(options.log);
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
    return this.#readers.size;
  }

  stats(): HubStats {
    let lagging = 0;
    let maxLag = 0;
    for (const reader of this.#readers) {
      if (reader.isBehind) lagging += 1;
      maxLag = Math.max(maxLag, reader.lag);
    }
    return {
      connections: this.#readers.size,
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
    return [...this.#readers]
      .sort((a, b) => b.lag - a.lag)
      .slice(0, limit)
      .map((reader) => reader.info());
  }

  /** Takes in a WebSocket whose handshake is done. `socket` is the one under it. */
  connect(websocket: WebSocket, socket: Socket, query: ConnectQuery, principal: Principal = OWNER): void {
    // Whether it was negotiated is for `ws` to know; where it was not, there is nothing to ask.
    const deflates = websocket.extensions?.includes("permessage-deflate");
    this.#welcome(new Connection(this, websocket, socket, deflates ? DEFLATED : PLAIN, principal), query);
  }

  /** Takes in a client of Server-Sent Events: `socket` is that of a response whose head is out and whose body ends with it. */
  connectEventStream(socket: Socket, query: ConnectQuery, principal: Principal = OWNER): void {
    this.#welcome(new EventStream(this, socket, this.#eventStreamWriter, principal), query);
  }

  #welcome(reader: Reader, { since, epoch, filter }: ConnectQuery): void {
    if (this.#closing) {
      reader.close(CLOSE.tryAgainLater);
      return;
    }
    this.#readers.add(reader);
    reader.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      server_version: this.#options.serverVersion,
      epoch: this.log.epoch,
      head: this.#position,
      oldest: this.log.oldest,
      heartbeat_interval: this.#options.heartbeatInterval,
      connection_id: reader.id,
      ...(reader.principal.kind === "owner" ? {} : { limited: true as const }),
    });
    reader.open(filter, { since, epoch });
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
    const spread = Math.min(mostSpread, Math.max(least, this.#readers.size * perClient));
    for (const reader of this.#readers) {
      const retry_after_ms = Math.round(least + Math.random() * spread);
      reader.close(CLOSE.goingAway, { type: "goodbye", reason, retry_after_ms });
    }
    if (this.#readers.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  flush(): void {
    this.#window.flushNow();
  }

  goLive(reader: Reader): void {
    this.#live.add(reader);
  }

  fallBehind(reader: Reader): void {
    this.#live.delete(reader);
  }

  takeTurn(reader: Reader): void {
    this.#replays.take(reader);
  }

  takeCommandTurn(inbox: { work(): void }): void {
    this.#commandTurns.take(inbox);
  }

  sent(events: number, bytes: number): void {
    this.#deliveries += events;
    this.#bytesSent += bytes;
  }

  received(): void {
    this.#commands += 1;
  }

  closed(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#onEmpty?.();
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
    const { tail } = this.log;
    while (this.#position < tail.head) {
      if (this.#position + 1 < tail.oldest) {
        // More came in one go than the tail holds: everyone is behind, and will be told of the gap.
        this.#live.miss(this.#position);
        this.#position = tail.head;
        return;
      }
      const batch = tail.read(this.#position, tail.head, undefined, SLICE_BYTES);
      this.#live.deliver(tail, this.#position, batch);
      this.#position = batch.seq;
    }
  }

  #beat(): void {
    // When one round takes longer than the interval, clients are asked as often as it goes.
    if (!this.#beats.isIdle) return;
    this.#ping = pingFrames({ type: "ping", timestamp: new Date().toISOString(), head: this.#position });
    for (const reader of this.#readers) this.#beats.take(reader);
  }
}
