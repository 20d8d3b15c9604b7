import type { Socket } from "node:net";
import { CLOSE, type ConnectQuery, PROTOCOL_VERSION } from "@flock/protocol";
import type { WebSocket } from "ws";
import type { EventLog } from "../events/event-log.ts";
import { type BudgetLimits, DEFAULT_LIMITS } from "./budget.ts";
import { Cohorts } from "./cohorts.ts";
import type { CommandTarget } from "./commands.ts";
import { Connection, type Surroundings } from "./connection.ts";
import { FlushWindow } from "./flush-window.ts";
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
/** A server that went away is back after this at the earliest; and so long per client its clients spread out over. */
const RETRY_AFTER_MS = { least: 500, perClient: 5, mostSpread: 30_000 };

/** Sends the log to every client, each from where it is. */
export class Hub implements Surroundings {
  readonly log: EventLog;
  readonly target: CommandTarget;
  readonly limits: BudgetLimits;
  readonly #options: HubOptions;
  readonly #connections = new Set<Connection>();
  readonly #live = new Cohorts();
  readonly #window = new FlushWindow(() => this.#sendToLive());
  // Two queues: a command does not wait until a thousand replays have had their slices.
  readonly #replays = new Turns<Connection>((connection) => connection.advance());
  readonly #commandTurns = new Turns<Connection>((connection) => connection.work());
  #position: number;
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
    return this.#connections.size;
  }

  stats(): HubStats {
    let lagging = 0;
    let maxLag = 0;
    for (const connection of this.#connections) {
      if (connection.isBehind) lagging += 1;
      maxLag = Math.max(maxLag, connection.lag);
    }
    return {
      connections: this.#connections.size,
      lagging,
      deliveries: this.#deliveries,
      bytesSent: this.#bytesSent,
      maxLag,
      commands: this.#commands,
    };
  }

  /** Takes in a client whose handshake is done. */
  connect(websocket: WebSocket, socket: Socket, { since, epoch, filter }: ConnectQuery): void {
    const connection = new Connection(this, websocket, socket);
    if (this.#closing) {
      connection.close(CLOSE.tryAgainLater);
      return;
    }
    this.#connections.add(connection);
    connection.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      server_version: this.#options.serverVersion,
      epoch: this.log.epoch,
      head: this.#position,
      oldest: this.log.oldest,
      heartbeat_interval: this.#options.heartbeatInterval,
      connection_id: connection.id,
    });
    connection.open(filter, { since, epoch });
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
    const spread = Math.min(mostSpread, Math.max(least, this.#connections.size * perClient));
    for (const connection of this.#connections) {
      const retry_after_ms = Math.round(least + Math.random() * spread);
      connection.close(CLOSE.goingAway, { type: "goodbye", reason, retry_after_ms });
    }
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  flush(): void {
    this.#window.flushNow();
  }

  goLive(connection: Connection): void {
    this.#live.add(connection);
  }

  fallBehind(connection: Connection): void {
    this.#live.delete(connection);
  }

  takeTurn(connection: Connection): void {
    this.#replays.take(connection);
  }

  takeCommandTurn(connection: Connection): void {
    this.#commandTurns.take(connection);
  }

  sent(events: number, bytes: number): void {
    this.#deliveries += events;
    this.#bytesSent += bytes;
  }

  received(): void {
    this.#commands += 1;
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  failed(error: unknown, what: string): void {
    this.#options.onFailure(error, what);
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
    const ping = { type: "ping", timestamp: new Date().toISOString(), head: this.#position } as const;
    for (const connection of this.#connections) connection.beat(ping);
  }
}
