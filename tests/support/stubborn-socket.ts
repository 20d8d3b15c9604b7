import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { type ControlMessage, type FlockEvent, OWNER } from "@flock-ts/protocol";
import type { Hub } from "../../packages/flock/src/delivery/hub.ts";
import { textsOf } from "../../packages/flock/src/log/frame.ts";

type ConnectQuery = Parameters<Hub["connect"]>[2];
type ServerSocket = Parameters<Hub["connect"]>[0];

/** What has been written and not taken. */
interface Chunk {
  left: number;
  readonly done: ((error?: Error) => void) | undefined;
}

/**
 * The server's end of a connection without a network: a WebSocket and the TCP socket under it, which takes bytes when the
 * test allows it. The client has received the taken bytes; the rest is lost when the connection breaks.
 */
export class StubbornSocket extends EventEmitter {
  /** Everything that the server has written, in order. */
  readonly sent: (FlockEvent | ControlMessage)[] = [];
  readonly OPEN = 1;
  readyState = 1;
  /** Bytes that wait to be taken. */
  writableLength = 0;
  /** Whether bytes are taken as they come. */
  fast: boolean;
  /** Where each message ends, counted from the first byte. */
  readonly #ends: number[] = [];
  #written = 0;
  #waiting: Chunk[] = [];
  #received = 0;

  private constructor(fast: boolean) {
    super();
    this.fast = fast;
  }

  /** Connects to a hub, as the server does when the handshake is done. */
  static connect(hub: Hub, query: ConnectQuery, fast = true): StubbornSocket {
    const socket = new StubbornSocket(fast);
    hub.connect(socket as unknown as ServerSocket, socket as unknown as Socket, query, OWNER);
    return socket;
  }

  /** How many of the messages have arrived whole. */
  get received(): number {
    const taken = this.#written - this.writableLength;
    while (this.#received < this.#ends.length && (this.#ends[this.#received] as number) <= taken) this.#received += 1;
    return this.#received;
  }

  /** Takes at most so many of the bytes that wait. */
  take(bytes = Number.POSITIVE_INFINITY): void {
    for (let room = bytes; this.#waiting.length > 0; ) {
      const first = this.#waiting[0] as Chunk;
      const taken = Math.min(room, first.left);
      first.left -= taken;
      room -= taken;
      this.writableLength -= taken;
      if (first.left > 0) return;
      this.#waiting.shift();
      // As Node does it: never before `write` has returned.
      if (first.done) queueMicrotask(first.done);
    }
  }

  /** The network breaks. */
  break(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#waiting = [];
    this.emit("close", 1006);
  }

  /** A command, as if it had come over the network. */
  say(command: object): void {
    this.emit("message", Buffer.from(JSON.stringify(command)), false);
  }

  write(chunk: Buffer, done?: (error?: Error) => void): boolean {
    // A broken socket takes nothing, and reports no error.
    if (this.readyState === 3) return false;
    for (const text of textsOf(chunk)) {
      this.sent.push(JSON.parse(text));
      const bytes = Buffer.byteLength(text);
      this.#ends.push((this.#ends.at(-1) ?? 0) + bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10));
    }
    this.#written += chunk.length;
    this.writableLength += chunk.length;
    this.#waiting.push({ left: chunk.length, done });
    if (this.fast) this.take();
    return this.writableLength === 0;
  }

  close(): void {
    setImmediate(() => this.break());
  }

  terminate(): void {
    this.break();
  }

  ping(): void {}
  pause(): void {}
  resume(): void {}
}
