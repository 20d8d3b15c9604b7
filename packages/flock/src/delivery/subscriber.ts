import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import {
  CLOSE,
  type CloseCode,
  type ConnectionInfo,
  type ControlMessage,
  type Filter,
  type Principal,
} from "@flock-ts/protocol";
import type { EventLog } from "../log/event-log.ts";
import type { Batch } from "../log/log-buffer.ts";
import { type Scope, scopeOf } from "../log/scope.ts";
import type { Chunks } from "./chunks.ts";
import type { Member } from "./cohorts.ts";
import type { Commands } from "./commands.ts";
import type { Encoding } from "./encoding.ts";
import { type Beginning, beginningOf, expired, type Start } from "./start.ts";
import type { RateLimits } from "./websocket/rate-limiter.ts";

/** The hub, as those it serves see it. */
export interface HubContext {
  readonly log: EventLog;
  readonly chunks: Chunks;
  readonly target: Commands;
  readonly limits: RateLimits;
  /** Up to this seq every live subscriber has been sent what it wants to see. */
  readonly position: number;
  /** Moves `position` to the head of the log. */
  flush(): void;
  /** The subscriber has come to `position` and takes part in what is sent from here on. */
  goLive(subscriber: Subscriber): void;
  /** The subscriber has a cursor of its own from here on. */
  fallBehind(subscriber: Subscriber): void;
  /** Calls the subscriber's `advance` soon, when it is its turn. */
  takeTurn(subscriber: Subscriber): void;
  /** Calls the commandQueue's `work` soon, when it is its turn. */
  takeCommandTurn(commandQueue: CommandQueue): void;
  /** So much has been handed to a socket. */
  sent(events: number, bytes: number): void;
  /** A command has been read, or a message refused. */
  received(): void;
  closed(subscriber: Subscriber): void;
  /** Something failed that the client is not told about. */
  failed(error: unknown, what: string): void;
}

/** The commands of one connection, as the hub gives them turns. */
export interface CommandQueue {
  work(): void;
  /** Ends the connection after an exception in `work`. */
  fail(error: unknown): void;
}

/** `closing`: we are done with the client; `gone`: it has left. */
type State = "behind" | "live" | "closing" | "gone";

const NOTHING = Buffer.alloc(0);

/**
 * One client's place in the log. While it keeps up it has none of its own: the hub sends it what it sends to its cohort.
 * When its socket does not take everything at once it is `behind`: a cursor, which goes on from where the socket got to
 * when that has drained. So what waits for a slow client is one slice of memory that others share.
 */
export abstract class Subscriber implements Member {
  /** What its `hello` calls it. */
  readonly id = randomUUID();
  readonly #connectedAt = Date.now();
  readonly encoding: Encoding;
  /** Who the client is. */
  readonly principal: Principal;
  protected readonly hub: HubContext;
  /** The TCP socket, which ready frames are written to as they are. */
  protected readonly socket: Socket;
  #scope: Scope | undefined;
  #state: State = "behind";
  #cursor = 0;
  #subscriptions = 0;
  #owesCaughtUp = false;
  /** A turn is coming, at once or when the socket has drained. */
  #waiting = false;
  /** How many beginnings are being looked up. */
  #lookups = 0;

  constructor(hub: HubContext, socket: Socket, encoding: Encoding, principal: Principal) {
    this.hub = hub;
    this.socket = socket;
    this.encoding = encoding;
    this.principal = principal;
  }

  /** Sends a message that is not in the log. */
  abstract send(message: ControlMessage): void;
  /** The heartbeat's beat. `ping` is what a WebSocket is sent. */
  abstract beat(ping: Buffer): void;
  /** Says why, closes, and does not wait long for the answer. */
  abstract close(why: CloseCode, last?: ControlMessage): void;
  /** Whether the client may still be written to. */
  protected abstract get isWritable(): boolean;
  /** The client has taken everything that waited in its socket. */
  protected abstract drained(): void;

  /** What the client wants of what it may see; undefined: everything. */
  get scope(): Scope | undefined {
    return this.#scope;
  }

  /** The client, as whoever runs the server may look at it. */
  info(): ConnectionInfo {
    const { as, ...filter } = this.#scope ?? {};
    return {
      connection_id: this.id,
      ...(this.socket.remoteAddress === undefined ? {} : { from: this.socket.remoteAddress }),
      connected_at: new Date(this.#connectedAt).toISOString(),
      encoding: this.encoding.name,
      filter,
      ...(as && as.kind !== "owner" ? { principal: as.name } : {}),
      live: this.#state === "live",
      lag: this.lag,
      unsent_bytes: this.socket.writableLength,
    };
  }

  /** How many events of the log this client has yet to be sent, or to be spared by its scope. */
  get lag(): number {
    return this.#state === "behind" ? Math.max(0, this.hub.position - this.#cursor) : 0;
  }

  /** Whether the client has a cursor of its own. */
  get isBehind(): boolean {
    return this.#state === "behind";
  }

  /** Whether neither side has ended it. */
  get isOpen(): boolean {
    return this.#state === "behind" || this.#state === "live";
  }

  /** Whether the client has left, and not been closed by us. */
  get isGone(): boolean {
    return this.#state === "gone";
  }

  /** The first subscription of a client. */
  open(filter: Filter, start: Start): void {
    this.#cursor = this.hub.position;
    this.subscribe(filter, start);
  }

  /** Begins, or begins anew, to deliver what passes `filter`, as far as the client may see it. */
  subscribe(filter: Filter, start: Start): void {
    if (!this.isOpen) return;
    const { log } = this.hub;
    // A seq that the client knows from a reply may not have been flushed yet.
    if (start.since !== undefined && start.since > this.hub.position) this.hub.flush();
    if (this.#state === "live") this.#leave(this.hub.position);
    this.#subscriptions += 1;
    this.#scope = scopeOf(filter, this.principal);
    if (start.since !== undefined) {
      const beginning = beginningOf(start, log, this.hub.position, this.#scope);
      this.#owesCaughtUp = true;
      if (beginning instanceof Promise) {
        this.#beginLater(beginning);
        return;
      }
      this.#begin(beginning);
    }
    this.#awaitTurn();
  }

  #begin({ cursor, gap }: Beginning): void {
    this.#cursor = cursor;
    if (gap) this.send(gap);
  }

  /** The beginning has to be looked up in the store. Until then nothing is sent. */
  #beginLater(beginning: Promise<Beginning>): void {
    const subscription = this.#subscriptions;
    this.#lookups += 1;
    beginning.then(
      (found) => {
        this.#lookups -= 1;
        // The client may have subscribed again, or left.
        if (subscription === this.#subscriptions && this.#state === "behind") this.#begin(found);
        if (this.#lookups === 0 && this.isOpen) this.#awaitTurn();
      },
      (error) => {
        this.#lookups -= 1;
        this.hub.failed(error, "the log could not be read");
        this.close(CLOSE.tryAgainLater);
      },
    );
  }

  deliver({ frames, events, seq }: Batch): void {
    this.write(frames, events);
    if (this.socket.writableLength === 0) return;
    this.#leave(seq);
    this.#awaitDrain();
  }

  miss(seq: number): void {
    this.#leave(seq);
    this.#awaitTurn();
  }

  /** Sends the next slice of what the client is behind with, or goes live when there is none. */
  advance(): void {
    this.#waiting = false;
    if (this.#state !== "behind" || this.#lookups > 0) return;
    const { log, position } = this.hub;
    const kept = log.oldest - 1;
    if (this.#cursor < kept) {
      this.send(expired(this.#cursor, kept));
      this.#cursor = kept;
    }
    if (this.#cursor >= position) {
      this.#goLive();
      return;
    }
    const reading = this.hub.chunks.read(this.#cursor, position, this.#scope, this.encoding);
    if (!(reading instanceof Promise)) {
      this.#take(reading);
      return;
    }
    this.#waiting = true;
    const subscription = this.#subscriptions;
    reading
      .then(
        (batch) => {
          this.#waiting = false;
          // Whoever has subscribed anew meanwhile has another cursor and another filter.
          if (subscription === this.#subscriptions) this.#take(batch);
          else this.#awaitTurn();
        },
        (error) => {
          this.hub.failed(error, "the log could not be read");
          this.close(CLOSE.tryAgainLater);
        },
      )
      .catch((error) => this.fail(error));
  }

  /** Ends this connection, and no other, after an exception while it was served. Does not throw. */
  fail(error: unknown): void {
    this.hub.failed(error, "failed to serve a connection, which is closed");
    try {
      this.close(CLOSE.internalError);
    } catch {
      this.socket.destroy();
    }
  }

  /** Calls `work` where an exception would otherwise reach the event loop and end the process. */
  protected guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Nothing more is sent: we close, or the client is gone. */
  protected leaveFor(state: "closing" | "gone"): void {
    if (this.#state === "live") this.#leave(this.hub.position);
    this.#state = state;
  }

  protected write(frames: Buffer, events: number): void {
    if (!this.isWritable) return;
    this.socket.write(frames);
    this.hub.sent(events, frames.length);
  }

  /** Calls `then` when the socket has taken everything that waits in it, unless it breaks before that. */
  protected whenDrained(then: () => void): void {
    // `drain` comes only to those who filled the buffer; an empty write is done when everything before it is.
    this.socket.write(NOTHING, (error) => {
      if (!error) this.guard(then);
    });
  }

  #take({ frames, events, seq }: Batch): void {
    if (this.#state !== "behind") return;
    this.#cursor = seq;
    if (events > 0) this.write(frames, events);
    if (this.socket.writableLength > 0) this.#awaitDrain();
    else this.#awaitTurn();
  }

  #goLive(): void {
    this.#state = "live";
    if (this.#owesCaughtUp) {
      this.#owesCaughtUp = false;
      this.send({ type: "caught_up", seq: this.hub.position });
    }
    this.hub.goLive(this);
  }

  #leave(seq: number): void {
    this.#state = "behind";
    this.#cursor = seq;
    this.hub.fallBehind(this);
  }

  #awaitTurn(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.hub.takeTurn(this);
  }

  #awaitDrain(): void {
    this.#waiting = true;
    this.whenDrained(() => {
      this.drained();
      this.hub.takeTurn(this);
    });
  }
}
