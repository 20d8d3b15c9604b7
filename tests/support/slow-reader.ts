import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { Changes } from "./changes.ts";
import { delay } from "./delay.ts";
import { frame, frameStart, OPCODE } from "./raw-socket.ts";

/** How a {@link SlowReader} reads. */
export interface SlowReaderOptions {
  /** The most bytes that it takes from the kernel at once. */
  readonly bytes: number;
  /** The pause after each read, in ms. */
  readonly pauseMs: number;
}

/**
 * A WebSocket client that reads small pieces at a steady pace, and answers each ping frame when it reaches it. What it has
 * not read waits in the buffers of the kernel, as with a slow program or a slow network.
 */
export class SlowReader implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #changes = new Changes();
  #received: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #hasEnded = false;
  /** The JSON of each text frame so far. */
  readonly messages: (Record<string, unknown> & { type: string })[] = [];
  /** The code of the close frame. */
  closeCode: number | undefined;

  /** @param url the WebSocket endpoint. */
  constructor(url: string, { bytes, pauseMs }: SlowReaderOptions) {
    const { hostname, port, host, pathname, search } = new URL(url);
    const buffer = Buffer.alloc(bytes);
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer,
        callback: (size) => {
          this.#read(Buffer.from(buffer.subarray(0, size)));
          void delay(pauseMs).then(() => this.#socket.resume());
          return false;
        },
      },
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#hasEnded = true;
      this.#changes.tell();
    });
    const key = randomBytes(16).toString("base64");
    this.#accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    this.#socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
  }
  readonly #accept: string;

  /** Waits until `look` returns a value, and resolves to it. */
  until<V>(look: () => V | undefined | false, what: string, within?: number): Promise<V> {
    return this.#changes.until(
      () => {
        const found = look();
        if ((found === undefined || found === false) && this.#hasEnded) {
          throw new Error(`the connection ended (${this.closeCode ?? "no close frame"}) before ${what}`);
        }
        return found;
      },
      () => `there was not ${what}`,
      within,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#hasEnded) await new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
  }

  #read(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (!this.#isUpgraded) {
      const end = this.#received.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#received.includes(this.#accept)) throw new Error(`no handshake: ${this.#received}`);
      this.#isUpgraded = true;
      this.#received = this.#received.subarray(end + 4);
    }
    for (;;) {
      const start = frameStart(this.#received);
      if (!start || this.#received.length < start.at + start.size) break;
      const payload = this.#received.subarray(start.at, start.at + start.size);
      this.#received = this.#received.subarray(start.at + start.size);
      if (start.opcode === OPCODE.ping) this.#socket.write(frame(payload, { opcode: OPCODE.pong }));
      if (start.opcode === OPCODE.text) this.messages.push(JSON.parse(String(payload)));
      if (start.opcode === OPCODE.close) this.closeCode = payload.readUInt16BE(0);
    }
    this.#changes.tell();
  }
}
