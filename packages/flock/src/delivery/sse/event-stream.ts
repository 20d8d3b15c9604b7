import type { Socket } from "node:net";
import type { CloseCode, ControlMessage, Principal } from "@flock-ts/protocol";
import type { HubContext } from "../hub-context.ts";
import { Subscriber } from "../subscriber.ts";
import { COMMENT, type EventStreamWriter, retryAfter } from "./event-stream-writer.ts";

/** How long a peer may take to read the last message, in ms. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A client of Server-Sent Events. It sends nothing; when it reconnects, `Last-Event-ID` has its cursor. */
export class EventStream extends Subscriber {
  readonly #writer: EventStreamWriter;
  readonly #startsLive: boolean;
  #cancelDestroy = () => {};

  /**
   * @param socket the socket of a response whose head is sent and whose body ends with it.
   * @param startsLive whether it starts with new events. Without a cursor in `hello`, a client that reconnects before its
   * first event would miss the events in between. A cursor without data would not do: some clients ignore it.
   */
  constructor(hub: HubContext, socket: Socket, writer: EventStreamWriter, principal: Principal, startsLive: boolean) {
    super(hub, socket, writer, principal);
    this.#writer = writer;
    this.#startsLive = startsLive;
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  send(message: ControlMessage): void {
    if (!this.isOpen) return;
    if (message.type === "goodbye") this.write(retryAfter(message.retry_after_ms), 0);
    this.write(this.#writer.message(message, this.#cursorAfter(message)), 0);
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

  /** Returns the seq after which the client resumes if the connection breaks after a message. */
  #cursorAfter(message: ControlMessage): number | undefined {
    if (message.type === "caught_up") return message.seq;
    return message.type === "hello" && this.#startsLive ? message.head : undefined;
  }

  #end(): void {
    this.#cancelDestroy();
    this.hub.closed(this);
    if (this.isOpen) this.stop("gone");
  }
}
