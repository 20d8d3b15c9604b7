import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { Changes } from "./changes.ts";

/** The opcodes of RFC 6455. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as it came over the wire. */
export interface Frame {
  readonly final: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The start of an HTTP response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** A frame to send; a well-behaved client's unless said otherwise. */
export interface FrameOptions {
  readonly opcode?: number;
  readonly final?: boolean;
  /** A client must mask; a rude one does not. */
  readonly masked?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
}

/**
 * A WebSocket client on bare TCP, for everything that a proper library refuses to do: a broken handshake,
 * forbidden frames, not reading, not answering, vanishing. It answers no ping by itself.
 */
export class RawSocket implements AsyncDisposable {
  readonly #socket: Socket;
  #joined: Buffer = Buffer.alloc(0);
  /** Chunks that came since the last look: joining them one by one would copy everything for each chunk. */
  #chunks: Buffer[] = [];
  #ended = false;
  readonly #changes = new Changes();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#changes.tell();
    });
    // A server that cuts us off may do it with a reset: that is an end like any other here.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      this.#changes.tell();
    });
  }

  get #received(): Buffer {
    if (this.#chunks.length > 0) {
      this.#joined = Buffer.concat([this.#joined, ...this.#chunks]);
      this.#chunks = [];
    }
    return this.#joined;
  }

  set #received(rest: Buffer) {
    this.#joined = rest;
  }

  /** Opens a TCP connection to the host and port of `url`. */
  static async connect(url: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawSocket(socket);
  }

  /** Opens a TCP connection and makes it a WebSocket. */
  static async open(url: string): Promise<RawSocket> {
    const raw = await RawSocket.connect(url);
    const { pathname, search } = new URL(url);
    const key = randomBytes(16).toString("base64");
    const { status, headers } = await raw.request(pathname + search, { "Sec-WebSocket-Key": key });
    const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    if (status !== 101 || headers.get("sec-websocket-accept") !== proof) {
      await raw[Symbol.asyncDispose]();
      throw new Error(`the server answered the handshake with ${status} and ${headers.get("sec-websocket-accept")}`);
    }
    return raw;
  }

  /** What has come and has not been read. */
  get text(): string {
    return this.#received.toString();
  }

  /** Sends the upgrade request of RFC 6455 with some headers changed (`null`: left out), and reads the response. */
  async request(path: string, changed: Record<string, string | null> = {}, method = "GET"): Promise<ResponseHead> {
    const headers: Record<string, string | null> = {
      Host: `${this.#socket.remoteAddress}:${this.#socket.remotePort}`,
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...changed,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
    this.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    return this.head();
  }

  /** Reads the start of an HTTP response. */
  async head(): Promise<ResponseHead> {
    const end = await this.#until(() => this.#received.indexOf("\r\n\r\n") + 1 || undefined, "a response");
    const [first = "", ...rest] = this.#received.toString("latin1", 0, end - 1).split("\r\n");
    this.#received = this.#received.subarray(end + 3);
    const headers = new Map<string, string>();
    for (const line of rest) {
      const colon = line.indexOf(":");
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    return { status: Number(first.split(" ")[1]), headers };
  }

  /** Reads the JSON body of a response, by its length. */
  async body({ headers }: ResponseHead): Promise<unknown> {
    const length = Number(headers.get("content-length"));
    await this.#until(() => this.#received.length >= length || undefined, `a body of ${length} bytes`);
    const body = this.#received.toString("utf8", 0, length);
    this.#received = this.#received.subarray(length);
    return JSON.parse(body);
  }

  /** Writes bytes as they are. */
  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /** Sends one frame. */
  sendFrame(payload: Buffer | string, options: FrameOptions = {}): void {
    this.write(frame(Buffer.from(payload), options));
  }

  /** Reads the next frame. */
  async frame(): Promise<Frame> {
    const { at, size, ...start } = await this.#until(() => {
      const start = frameStart(this.#received);
      return start && this.#received.length >= start.at + start.size ? start : undefined;
    }, "a frame");
    const payload = Buffer.from(this.#received.subarray(at, at + size));
    this.#received = this.#received.subarray(at + size);
    return { ...start, payload };
  }

  /** Reads frames until a text frame whose JSON has this `type` (any, when none is said), and gives the JSON. */
  async message(type?: string): Promise<Record<string, unknown> & { type: string }> {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === OPCODE.close) throw new Error(`closed with ${closeCode(payload)} before a ${type ?? "message"}`);
      if (opcode !== OPCODE.text) continue;
      const message = JSON.parse(payload.toString());
      if (type === undefined || message.type === type) return message;
    }
  }

  /** Reads frames until the close frame, and gives its code and reason. */
  async closeFrame(): Promise<{ code: number; reason: string }> {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === OPCODE.close) return { code: closeCode(payload), reason: payload.toString("utf8", 2) };
    }
  }

  /** Stops taking bytes from the network: the server's socket fills up. */
  stall(): void {
    this.#socket.pause();
  }

  /** Takes bytes again. */
  flow(): void {
    this.#socket.resume();
  }

  /** Goes away without a close frame. */
  vanish(): void {
    this.#socket.destroy();
  }

  /** Goes away as a crashed machine's network stack does it: with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Waits until the server has ended the TCP connection. */
  async ended(): Promise<void> {
    await this.#changes.until(
      () => this.#ended,
      () => "the server did not end the connection",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#ended) await new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
  }

  #until<V>(look: () => V | undefined, what: string): Promise<V> {
    return this.#changes.until(
      () => {
        const found = look();
        if (found === undefined && this.#ended) throw new Error(`the server ended the connection before ${what}`);
        return found;
      },
      () => `there was not ${what}`,
    );
  }
}

/** The bytes of one frame. */
export function frame(
  payload: Buffer,
  { opcode = OPCODE.text, final = true, masked = true, reserved = 0 }: FrameOptions = {},
): Buffer {
  const length = payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127;
  const start = [(final ? 0x80 : 0) | (reserved << 4) | opcode, (masked ? 0x80 : 0) | length];
  const head = Buffer.alloc(2 + (length === 126 ? 2 : length === 127 ? 8 : 0));
  head.set(start);
  if (length === 126) head.writeUInt16BE(payload.length, 2);
  if (length === 127) head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index & 3]!)]);
}

/** Finds the payload of the first frame in `bytes`. Servers must not mask, so a masked frame is an error. */
export function frameStart(bytes: Buffer): { at: number; size: number; final: boolean; opcode: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if (second & 0x80) throw new Error("the server sent a masked frame");
  const start = { final: (first & 0x80) !== 0, opcode: first & 15 };
  if (second < 126) return { ...start, at: 2, size: second };
  if (second === 126) return bytes.length < 4 ? undefined : { ...start, at: 4, size: bytes.readUInt16BE(2) };
  return bytes.length < 10 ? undefined : { ...start, at: 10, size: Number(bytes.readBigUInt64BE(2)) };
}

function closeCode(payload: Buffer): number {
  return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
}
