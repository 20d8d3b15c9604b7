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
import type { Batch } from "../log/log-buffer.ts";
import { type Scope, scopeOf } from "../log/scope.ts";
import type { Member } from "./cohorts.ts";
import type { Encoding } from "./encoding.ts";
import type { HubContext } from "./hub-context.ts";
import { type Beginning, beginningOf, expired, type Start } from "./start.ts";

/** `closing`: the server is closing the connection; `gone`: the client has disconnected. */
type State = "behind" | "live" | "closing" | "gone";

const NOTHING = Buffer.alloc(0);

/**
 * A connected client. While it is live it needs no cursor: the hub sends it what it sends to its cohort. When its socket
 * does not accept everything at once, it is behind: it has a cursor, and continues from there when the socket has drained.
 * So a slow client holds one chunk of memory, which it shares with others.
 */
export abstract class Subscriber implements Member {
  /** The `connection_id` of its `hello`. */
  readonly id = randomUUID();
  readonly encoding: Encoding;
  readonly principal: Principal;
  protected readonly hub: HubContext;
  /** The TCP socket, to which encoded frames are written directly. */
  protected readonly socket: Socket;
  readonly #connectedAt: number;
  #scope: Scope | undefined;
  #state: State = "behind";
  #cursor = 0;
  #subscriptions = 0;
  /** The newest beginning that is being searched in the store. Until it is found, nothing is sent. */
  #searched: Promise<Beginning> | undefined;
  #owesCaughtUp = false;
  /** Whether `advance` will be called: in the next time slice, after a read, or when the socket has drained. */
  #isScheduled = false;

  constructor(hub: HubContext, socket: Socket, encoding: Encoding, principal: Principal) {
    this.hub = hub;
    this.socket = socket;
    this.encoding = encoding;
    this.principal = principal;
    this.#connectedAt = hub.clock.now();
  }

  /** Sends a message that is not part of the log. */
  abstract send(message: ControlMessage): void;
  /** Sends a heartbeat. `ping` is the heartbeat of a WebSocket. */
  abstract sendHeartbeat(ping: Buffer): void;
  /** Closes the connection, with a reason and a last message. Waits briefly for the peer. */
  abstract close(why: CloseCode, last?: ControlMessage): void;
  /** Whether the client can be written to. */
  protected abstract get isWritable(): boolean;
  /** Called when the client has taken everything that waited in its socket. */
  protected abstract onDrained(): void;

  /** The events it receives; undefined: all. */
  get scope(): Scope | undefined {
    return this.#scope;
  }

  /** Returns the connection for the owner of the server. */
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

  /** How many events of the log lie between its cursor and the hub's position. */
  get lag(): number {
    return this.#state === "behind" ? Math.max(0, this.hub.position - this.#cursor) : 0;
  }

  /** Whether it reads through its own cursor. */
  get isBehind(): boolean {
    return this.#state === "behind";
  }

  /** Whether neither side has ended the connection. */
  get isOpen(): boolean {
    return this.#state === "behind" || this.#state === "live";
  }

  /** Whether the client has disconnected before the server closed the connection. */
  get isGone(): boolean {
    return this.#state === "gone";
  }

  /** Starts the first subscription. */
  open(filter: Filter, start: Start): void {
    this.#cursor = this.hub.position;
    this.subscribe(filter, start);
  }

  /** Replaces the subscription. Without `start.since`, it continues at its current cursor. */
  subscribe(filter: Filter, start: Start): void {
    if (!this.isOpen) return;
    const { log } = this.hub;
    // The client may have a seq from a reply whose events are not flushed yet.
    if (start.since !== undefined && start.since > this.hub.position) this.hub.flush();
    if (this.#state === "live") this.#fallBehind(this.hub.position);
    this.#subscriptions += 1;
    this.#scope = scopeOf(filter, this.principal);
    if (start.since !== undefined) {
      const beginning = beginningOf(start, log, this.hub.position, this.#scope);
      this.#owesCaughtUp = true;
      if (beginning instanceof Promise) this.#beginWhenFound(beginning);
      else this.#begin(beginning);
    }
    this.#schedule();
  }

  deliver({ frames, events, seq }: Batch): void {
    this.write(frames, events);
    if (this.socket.writableLength === 0) return;
    this.#fallBehind(seq);
    this.#scheduleAfterDrain();
  }

  overflow(seq: number): void {
    this.#fallBehind(seq);
    this.#schedule();
  }

  /** Sends the next chunk, or goes live when there is none. */
  advance(): void {
    this.#isScheduled = false;
    if (this.#state !== "behind" || this.#searched) return;
    const { log, position } = this.hub;
    const dropped = log.oldest - 1;
    if (this.#cursor < dropped) {
      this.send(expired(this.#cursor, dropped));
      this.#cursor = dropped;
    }
    if (this.#cursor >= position) {
      this.#goLive();
      return;
    }
    const reading = this.hub.chunks.read(this.#cursor, position, this.#scope, this.encoding);
    if (reading instanceof Promise) this.#sendWhenRead(reading);
    else this.#sendChunk(reading);
  }

  /** Closes this connection, and no other, after an exception while it was served. Does not throw. */
  fail(error: unknown): void {
    this.hub.failed(error, "failed to serve a connection, which is closed");
    try {
      this.close(CLOSE.internalError);
    } catch {
      this.socket.destroy();
    }
  }

  /** Runs `work` in place of a socket event, whose exceptions would end the process. */
  protected guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the delivery of events. */
  protected stop(state: "closing" | "gone"): void {
    if (this.#state === "live") this.#fallBehind(this.hub.position);
    this.#state = state;
  }

  protected write(frames: Buffer, events: number): void {
    if (!this.isWritable) return;
    this.socket.write(frames);
    this.hub.countSent(events, frames.length);
  }

  /** Calls `then` when the socket has sent everything, unless it breaks before. */
  protected whenDrained(then: () => void): void {
    // `drain` is emitted only when the buffer was full. The callback of an empty write comes after everything before it.
    this.socket.write(NOTHING, (error) => {
      if (!error) this.guard(then);
    });
  }

  #begin({ cursor, gap }: Beginning): void {
    this.#searched = undefined;
    this.#cursor = cursor;
    if (gap) this.send(gap);
  }

  #beginWhenFound(beginning: Promise<Beginning>): void {
    this.#searched = beginning;
    beginning
      .then(
        (found) => {
          // A later subscription may have begun elsewhere.
          if (this.#searched !== beginning) return;
          this.#begin(found);
          if (this.isOpen) this.#schedule();
        },
        (error) => this.#closeUnreadable(error),
      )
      .catch((error) => this.fail(error));
  }

  #sendChunk({ frames, events, seq }: Batch): void {
    if (this.#state !== "behind") return;
    this.#cursor = seq;
    if (events > 0) this.write(frames, events);
    if (this.socket.writableLength > 0) this.#scheduleAfterDrain();
    else this.#schedule();
  }

  #sendWhenRead(reading: Promise<Batch>): void {
    this.#isScheduled = true;
    const subscription = this.#subscriptions;
    reading
      .then(
        (batch) => {
          this.#isScheduled = false;
          // A subscription that was made in the meantime has another cursor and filter.
          if (subscription === this.#subscriptions) this.#sendChunk(batch);
          else this.#schedule();
        },
        (error) => this.#closeUnreadable(error),
      )
      .catch((error) => this.fail(error));
  }

  #closeUnreadable(error: unknown): void {
    this.hub.failed(error, "failed to read the log");
    this.close(CLOSE.internalError);
  }

  #goLive(): void {
    this.#state = "live";
    if (this.#owesCaughtUp) {
      this.#owesCaughtUp = false;
      this.send({ type: "caught_up", seq: this.hub.position });
    }
    this.hub.goLive(this);
  }

  #fallBehind(seq: number): void {
    this.#state = "behind";
    this.#cursor = seq;
    this.hub.fallBehind(this);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.hub.scheduleReplay(this);
  }

  #scheduleAfterDrain(): void {
    this.#isScheduled = true;
    this.whenDrained(() => {
      this.onDrained();
      this.hub.scheduleReplay(this);
    });
  }
}
