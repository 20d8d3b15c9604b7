import type { Socket } from "node:net";
import type { CloseCode, ControlMessage, Filter, Principal } from "@flock-ts/protocol";
import type { Start } from "../start.ts";
import { type HubContext, Subscriber } from "../subscriber.ts";
import { COMMENT, type EventStreamWriter, retryAfter } from "./event-stream-writer.ts";

/** How long a peer may take to read our last words. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A client on Server-Sent Events: it only listens, and says where it was when it comes back. */
export class EventStream extends Subscriber {
  readonly #writer: EventStreamWriter;
  #terminator: NodeJS.Timeout | undefined;

  /** @param socket of a response whose head is out, and whose body ends with it. */
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
    // Who comes back without a place would miss what happened until its first event.
    if (start.since === undefined) this.write(this.#writer.place(this.hub.position), 0);
  }

  beat(): void {
    // What waits in a slow socket is a sign of life itself.
    if (this.isOpen && this.socket.writableLength === 0) this.write(COMMENT, 0);
  }

  close(_why: CloseCode, last?: ControlMessage): void {
    if (!this.isOpen) return;
    if (last) this.send(last);
    this.leaveFor("closing");
    this.socket.end();
    this.#terminator = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS);
  }

  protected get isWritable(): boolean {
    return this.socket.writable;
  }

  protected drained(): void {}

  #end(): void {
    clearTimeout(this.#terminator);
    this.hub.closed(this);
    if (this.isOpen) this.leaveFor("gone");
  }
}
