import { connect, type Socket } from "node:net";
import { EventReader } from "../event.ts";
import type { Dialect, Memory } from "./dialects.ts";
import { FrameReader, PONG } from "./frames.ts";
import { inflater } from "./inflater.ts";

const OPCODE = 0x0f;
const COMPRESSED = 0x40;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;

/** Callbacks of a client to its crowd. */
export interface Listener {
  /**
   * An event arrived.
   * @param mistake set when it is not the expected event.
   */
  took(data: Buffer, mistake: string | undefined): void;
  /** Bytes arrived. */
  received(bytes: number): void;
  /** The client has all expected events. */
  hasAll(): void;
  /**
   * The connection was closed or broke.
   * @param isAwaited whether the client still expected events.
   */
  wasLost(reason: string, isAwaited: boolean): void;
}

/** The events that a client receives: `first` and every `step`-th after it; none when `step` is 0. */
export interface Expectation {
  readonly first: number;
  readonly step: number;
}

/** Shared reader, because all clients receive events of the same form. */
export const events = new EventReader();

/** A client that only reads frames and checks the event numbers. */
export class Client {
  readonly #port: number;
  readonly #dialect: Dialect;
  readonly #workflow: number | undefined;
  readonly #listener: Listener;
  readonly #step: number;
  readonly #compression: boolean;
  readonly #memory: Memory = {};
  /** Number of the next expected event. */
  #next: number;
  #until = 0;
  /** Position of the latest event in the chunk that is being read. */
  #newest: { readonly data: Buffer; readonly start: number; readonly end: number } | undefined;
  #socket: Socket | undefined;

  constructor(
    port: number,
    dialect: Dialect,
    workflow: number | undefined,
    { first, step }: Expectation,
    listener: Listener,
    compression = false,
  ) {
    this.#port = port;
    this.#dialect = dialect;
    this.#workflow = workflow;
    this.#next = first;
    this.#step = step;
    this.#listener = listener;
    this.#compression = compression;
  }

  /** Returns whether events numbered below `until` are missing. */
  lacks(until: number): boolean {
    return this.#socket !== undefined && this.#step > 0 && this.#next < until;
  }

  /** Makes the client report when it has all events below `until`. */
  awaitUntil(until: number): void {
    this.#until = until;
  }

  /** Connects, from the start or from the cursor. Resolves when connected. */
  connect(isBack: boolean): Promise<void> {
    const memory = isBack ? this.#memory : undefined;
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, "127.0.0.1");
      this.#socket = socket;
      socket.setNoDelay(true);
      socket.on("error", reject);
      socket.on("close", () => {
        if (this.#socket === socket) this.#lose("connection lost");
      });
      const inflate = this.#compression ? inflater() : undefined;
      const reader = new FrameReader((first, compressed, from, to) => {
        const opcode = first & OPCODE;
        const isCompressed = (first & COMPRESSED) !== 0;
        if (isCompressed && !inflate)
          throw new Error("received a compressed message without having offered compression");
        const data = isCompressed && inflate ? inflate(compressed.subarray(from, to)) : compressed;
        const [start, end] = data === compressed ? [from, to] : [0, data.length];
        if (opcode === TEXT) {
          const n = events.numberIn(data, start, end);
          if (n >= 0) {
            this.#take(n, data, start, end);
            return;
          }
          const reaction = this.#dialect.react(data.subarray(start, end), memory);
          if (reaction?.say) socket.write(reaction.say);
          if (reaction?.isGreeting) this.#memory.greeting = data.toString("utf8", start, end);
          if (reaction?.isIn) resolve();
        } else if (opcode === PING) socket.write(PONG);
        else if (opcode === CLOSE) this.#lose(`closed by the server with ${data.readUInt16BE(start)}`);
      });
      let head: Buffer | undefined = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        this.#listener.received(chunk.length);
        if (!head) {
          reader.push(chunk);
          this.#remember();
          return;
        }
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (!head.toString("latin1", 0, 12).endsWith("101")) reject(new Error(head.toString("latin1", 0, end)));
        const rest = head.subarray(end + 4);
        head = undefined;
        if (this.#dialect.isInAtOnce) resolve();
        reader.push(rest);
        this.#remember();
      });
      socket.write(upgradeRequest(this.#port, this.#dialect.path(this.#workflow, memory), this.#compression));
    });
  }

  /** Stops reading: data accumulates in the socket and then in the server. */
  stall(): void {
    this.#socket?.pause();
  }

  read(): void {
    this.#socket?.resume();
  }

  /** Drops the connection. */
  drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #take(n: number, data: Buffer, start: number, end: number): void {
    const isRight = n === this.#next && this.#step > 0;
    const mistake = isRight ? undefined : `received event ${n} instead of ${this.#step > 0 ? this.#next : "none"}`;
    this.#next = n + (this.#step || 1);
    this.#newest = { data, start, end };
    this.#listener.took(data, mistake);
    if (this.#next < this.#until || this.#until === 0) return;
    this.#until = 0;
    this.#listener.hasAll();
  }

  /** Keeps the latest event once per chunk; copying each event would dominate the CPU time. */
  #remember(): void {
    if (!this.#newest) return;
    const { data, start, end } = this.#newest;
    this.#memory.newest = data.toString("latin1", start, end);
    this.#newest = undefined;
  }

  #lose(reason: string): void {
    if (!this.#socket) return;
    this.#socket = undefined;
    const isAwaited = this.#until > 0;
    this.#until = 0;
    this.#listener.wasLost(reason, isAwaited);
  }
}

/** Returns the request that opens a WebSocket. */
export function upgradeRequest(port: number, path: string, compression = false): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    (compression ? "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" : "\r\n")
  );
}
