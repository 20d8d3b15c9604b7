import type { Socket } from "node:net";
import { CLOSE, type CloseCode, type ControlMessage, type ControlOf, type Principal } from "@flock-ts/protocol";
import type { WebSocket } from "ws";
import { textFrame } from "../../log/frame.ts";
import type { Encoding } from "../encoding.ts";
import type { HubContext } from "../hub-context.ts";
import { Subscriber } from "../subscriber.ts";
import { CommandQueue } from "./command-queue.ts";

/** How long a peer may take to answer a close frame, in ms. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A ping without a payload (RFC 6455 section 5.5.2), which every WebSocket implementation answers. */
const PING_FRAME = Buffer.from([0x89, 0]);

/** Encodes a heartbeat: a ping frame for the WebSocket implementation of the peer, and a message for its program. */
export function pingFrames(message: ControlOf<"ping">): Buffer {
  return Buffer.concat([PING_FRAME, textFrame(JSON.stringify(message))]);
}

/** The connection of a WebSocket: a property of the socket, so that ten thousand sockets share their listeners. */
const CONNECTION = Symbol("connection");
type Owned = WebSocket & { [CONNECTION]: Connection };

/** A client on a WebSocket. */
export class Connection extends Subscriber {
  readonly #websocket: WebSocket;
  /** Created with the first message: most clients send none. */
  #commandQueue: CommandQueue | undefined;
  #isPinged = false;
  /** Whether the client has sent anything, or its socket has drained, since the last heartbeat. */
  #wasActive = true;
  #cancelTerminate = () => {};

  /** @param socket the TCP socket under `websocket`. */
  constructor(hub: HubContext, websocket: WebSocket, socket: Socket, encoding: Encoding, principal: Principal) {
    super(hub, socket, encoding, principal);
    this.#websocket = websocket;
    (websocket as Owned)[CONNECTION] = this;
    websocket.on("message", onMessage);
    websocket.on("pong", onPong);
    websocket.on("ping", onPing);
    // The close code reports invalid frames. `ws` closes the connection.
    websocket.on("error", onError);
    websocket.on("close", onClose);
  }

  /** Sends a message. Returns its size in bytes. */
  send(message: ControlMessage): number {
    if (!this.isOpen) return 0;
    const frame = textFrame(JSON.stringify(message));
    this.write(frame, 0);
    return frame.length;
  }

  /** Sends a heartbeat, or closes the connection if the client has not answered the last one. */
  sendHeartbeat(ping: Buffer): void {
    if (!this.isOpen) return;
    if (this.#isPinged && !this.#wasActive && !this.#commandQueue?.isThrottled) {
      this.close(CLOSE.heartbeatMissed);
      return;
    }
    this.#isPinged = true;
    this.#wasActive = false;
    // If a slow socket drains, the client is alive.
    if (this.socket.writableLength > 0) return;
    this.write(ping, 0);
  }

  close({ code, meaning }: CloseCode, last?: ControlMessage): void {
    if (!this.isOpen) return;
    if (last) this.send(last);
    this.stop("closing");
    this.#commandQueue?.clear();
    this.#websocket.close(code, meaning);
    this.#cancelTerminate = this.hub.clock.after(CLOSE_TIMEOUT_MS, () => this.#websocket.terminate(), true);
  }

  /** Notes that the client is alive. */
  noteActivity(): void {
    this.#wasActive = true;
  }

  /** Receives a message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    this.guard(() => {
      this.noteActivity();
      if (this.isOpen) this.#commands.receive(data, isBinary);
    });
  }

  /** Counts a ping of the client against its rate limit. `ws` has answered it. */
  countPing(): void {
    this.guard(() => {
      this.noteActivity();
      if (this.isOpen) this.#commands.countPing();
    });
  }

  /** Called when the connection has ended. */
  end(): void {
    this.#cancelTerminate();
    this.hub.closed(this);
    if (!this.isOpen) return;
    this.stop("gone");
    this.#commandQueue?.finish();
  }

  /** How many bytes wait in the socket. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Calls `then` when the socket has sent everything. */
  whenSent(then: () => void): void {
    this.whenDrained(then);
  }

  /** Stops reading from the socket. */
  pause(): void {
    this.#websocket.pause();
  }

  /** Continues to read from the socket. */
  resume(): void {
    this.#websocket.resume();
    // The answer to a heartbeat may be among the messages that were not read.
    this.noteActivity();
  }

  protected get isWritable(): boolean {
    // Nothing may follow a close frame (RFC 6455 section 5.5.1), and `ws` answers that of the client at once.
    return this.#websocket.readyState === this.#websocket.OPEN;
  }

  protected onDrained(): void {
    this.noteActivity();
  }

  get #commands(): CommandQueue {
    this.#commandQueue ??= new CommandQueue(this, this.hub);
    return this.#commandQueue;
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  // `ws` passes each message as one buffer by default.
  (this as Owned)[CONNECTION].receive(data as Buffer, isBinary);
}

function onPong(this: WebSocket): void {
  (this as Owned)[CONNECTION].noteActivity();
}

function onPing(this: WebSocket): void {
  (this as Owned)[CONNECTION].countPing();
}

function onError(): void {}

function onClose(this: WebSocket): void {
  (this as Owned)[CONNECTION].end();
}
