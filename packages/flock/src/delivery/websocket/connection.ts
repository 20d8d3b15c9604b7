import type { Socket } from "node:net";
import { CLOSE, type CloseCode, type ControlMessage, type ControlOf, type Principal } from "@flock-ts/protocol";
import type { WebSocket } from "ws";
import { textFrame } from "../../log/frame.ts";
import type { Encoding } from "../encoding.ts";
import { type HubContext, Subscriber } from "../subscriber.ts";
import { CommandQueue } from "./command-queue.ts";

/** How long a peer may take to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A ping without a payload (RFC 6455 section 5.5.2), for the peer's WebSocket to answer by itself. */
const PING_FRAME = Buffer.from([0x89, 0]);

/** The heartbeat as it goes out: for the peer's WebSocket, and for its program. */
export function pingFrames(message: ControlOf<"ping">): Buffer {
  return Buffer.concat([PING_FRAME, textFrame(JSON.stringify(message))]);
}

/** The connection over a WebSocket: on the socket itself, so that one set of listeners serves ten thousand. */
const CONNECTION = Symbol("connection");
type Owned = WebSocket & { [CONNECTION]: Connection };

/** A client on a WebSocket. */
export class Connection extends Subscriber {
  readonly #websocket: WebSocket;
  /** What the client says; most only listen, and have none. */
  #commandQueue: CommandQueue | undefined;
  #pinged = false;
  #heard = true;
  #terminator: NodeJS.Timeout | undefined;

  /** @param socket the TCP socket under `websocket`. */
  constructor(hub: HubContext, websocket: WebSocket, socket: Socket, encoding: Encoding, principal: Principal) {
    super(hub, socket, encoding, principal);
    this.#websocket = websocket;
    (websocket as Owned)[CONNECTION] = this;
    websocket.on("message", onMessage);
    websocket.on("pong", onPong);
    websocket.on("ping", onPing);
    // The close code says what was wrong with the client's frames; there is nothing more to do about it.
    websocket.on("error", onError);
    websocket.on("close", onClose);
  }

  /** Returns how many bytes that is. */
  send(message: ControlMessage): number {
    if (!this.isOpen) return 0;
    const frame = textFrame(JSON.stringify(message));
    this.write(frame, 0);
    return frame.length;
  }

  /** Asks for a sign of life, or closes when the last one asked for did not come. */
  beat(ping: Buffer): void {
    if (!this.isOpen) return;
    if (this.#pinged && !this.#heard && !this.#commandQueue?.keepsWaiting) {
      this.close(CLOSE.heartbeatMissed);
      return;
    }
    this.#pinged = true;
    this.#heard = false;
    // What waits in a slow socket is asked after by its draining.
    if (this.socket.writableLength > 0) return;
    this.write(ping, 0);
  }

  close({ code, meaning }: CloseCode, last?: ControlMessage): void {
    if (!this.isOpen) return;
    if (last) this.send(last);
    this.leaveFor("closing");
    this.#commandQueue?.clear();
    this.#websocket.close(code, meaning);
    this.#terminator = setTimeout(() => this.#websocket.terminate(), CLOSE_TIMEOUT_MS);
  }

  /** The client has given a sign of life. */
  hear(): void {
    this.#heard = true;
  }

  /** The client has said something. */
  receive(data: Buffer, isBinary: boolean): void {
    this.guard(() => {
      this.hear();
      if (this.isOpen) this.#said.receive(data, isBinary);
    });
  }

  /** The client has sent a ping, which is answered already; it costs nonetheless. */
  countPing(): void {
    this.guard(() => {
      this.hear();
      if (this.isOpen) this.#said.countPing();
    });
  }

  /** The connection is gone. */
  end(): void {
    clearTimeout(this.#terminator);
    this.hub.closed(this);
    if (!this.isOpen) return;
    this.leaveFor("gone");
    this.#commandQueue?.finish();
  }

  /** Bytes that wait in the socket. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Calls `then` when everything that waits in the socket is out. */
  whenSent(then: () => void): void {
    this.whenDrained(then);
  }

  /** Reads no more of what the client says. */
  pause(): void {
    this.#websocket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#websocket.resume();
    // Its sign of life may have waited with everything else.
    this.hear();
  }

  protected get isWritable(): boolean {
    // Nothing may follow a close frame (RFC 6455 section 5.5.1), and `ws` has answered the client's already.
    return this.#websocket.readyState === this.#websocket.OPEN;
  }

  protected drained(): void {
    this.hear();
  }

  get #said(): CommandQueue {
    this.#commandQueue ??= new CommandQueue(this, this.hub);
    return this.#commandQueue;
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  // One buffer a message: the default of `ws`.
  (this as Owned)[CONNECTION].receive(data as Buffer, isBinary);
}

function onPong(this: WebSocket): void {
  (this as Owned)[CONNECTION].hear();
}

function onPing(this: WebSocket): void {
  (this as Owned)[CONNECTION].countPing();
}

function onError(): void {}

function onClose(this: WebSocket): void {
  (this as Owned)[CONNECTION].end();
}
