import type { Socket } from "node:net";
import type { CloseCode, ControlMessage, Filter, Principal } from "@flock-ts/protocol";
import type { HubContext } from "../hub-context.ts";
import type { Start } from "../start.ts";
import { Subscriber } from "../subscriber.ts";
import { COMMENT, type EventStreamWriter, retryAfter } from "./event-stream-writer.ts";

/** How long a peer may take to read the last message, in ms. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A client of Server-Sent Events. It sends nothing; when it reconnects, `Last-Event-ID` has its cursor. */
export class EventStream extends Subscriber {
  readonly #writer: EventStreamWriter;
  #cancelDestroy = () => {};

  /** @param socket the socket of a response whose head is sent and whose body ends with it. */
  constructor(hub: HubContext, socket: Socket, writer: EventStreamWriter, principal: Principal) {
    super(hub, socket, writer, principal);
    this.#writer = writer;
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  send(message: ControlMessage): void {
    if (!this.isOpen) return;
    if (message.type === "goodbye") this.write(retryAfter(message.retry_after_ms), 0);
    this.write(this.#writer.message(message, message.type === "caught_up" ? message.seq : undefined), 0);
  }

  override open(filter: Filter, start: Start): void {
    super.open(filter, start);
    // Without a cursor, a client that reconnects before its first event would miss the events in between.
    if (start.since === undefined) this.write(this.#writer.cursor(this.hub.position), 0);
  }

  sendHeartbeat(): void {
    // A slow socket has other data to send.
    if (this.isOpen && this.socket.writableLength === 0) this.write(COMMENT, 0);
  }

  close(_why: CloseCode, last?: ControlMessage): void {
    if (!this.isOpen) return;
    if (last) this.send(last);
    this.stop("closing");
    this.socket.end();
    this.#cancelDestroy = this.hub.clock.after(CLOSE_TIMEOUT_MS, () => this.socket.destroy(), true);
  }

  protected get isWritable(): boolean {
    return this.socket.writable;
  }

  protected onDrained(): void {}

  #end(): void {
    this.#cancelDestroy();
    this.hub.closed(this);
    if (this.isOpen) this.stop("gone");
  }
}
