import type { Socket } from "node:net";
import {
  CLOSE,
  type CloseCode,
  type ControlMessage,
  type ControlOf,
  MAX_EVENT_BYTES,
  type Principal,
} from "@flock-ts/protocol";
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

/**
 * After this many bytes, another ping frame follows, so that a slow client answers while it reads. Without these, the answer
 * to a heartbeat comes only after everything that the network still holds: up to some MiB.
 */
const BYTES_PER_PING = 16 * 1024;
/** A client that reads more slowly counts as dead. */
const SLOWEST_BYTES_PER_MS = 4;
/** The socket of a client that has stalled drains in steps of up to this size, however much the client reads. */
const KERNEL_STEP_BYTES = 1024 * 1024;
/** The part of an interval that a client has for its answer at least: timers are not exact. */
const NEARLY = 0.9;

/** Encodes a message. A reply that is larger than any event becomes an error: some clients could not receive it. */
function frameOf(message: ControlMessage): Buffer {
  const frame = textFrame(JSON.stringify(message));
  if (frame.length <= MAX_EVENT_BYTES || message.type !== "reply") return frame;
  const { id, seq } = message;
  const error = {
    code: "message_too_big",
    message: `Reply too large: it has ${frame.length} bytes, the limit is ${MAX_EVENT_BYTES}. Request it over HTTP.`,
  };
  return textFrame(JSON.stringify({ type: "reply", id, ok: false, seq, error }));
}

/** The connection of a WebSocket: a property of the socket, so that ten thousand sockets share their listeners. */
const CONNECTION = Symbol("connection");
type Owned = WebSocket & { [CONNECTION]: Connection };

/** A client on a WebSocket. */
export class Connection extends Subscriber {
  readonly #websocket: WebSocket;
  /** Created with the first message: most clients send none. */
  #commandQueue: CommandQueue | undefined;
  /** Whether the client has sent a message, or its socket has drained, since the last heartbeat. */
  #wasActive = true;
  /** The bytes received at the last heartbeat. A large message takes many of them. */
  #bytesRead = 0;
  /** The heartbeat since which the client has been silent, by the time that the server attended. */
  #silentSince = 0;
  /** The bytes sent after the last ping frame. */
  #bytesSincePing = 0;
  #unansweredPings = 0;
  /** The most bytes that the client has to read before it reaches the next unanswered ping frame. */
  #bytesBeforePing = 0;
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
    const frame = frameOf(message);
    this.write(frame, 0);
    return frame.length;
  }

  /** Sends a heartbeat, or closes the connection if the client has been silent for too long since the last one. */
  sendHeartbeat(ping: Buffer): void {
    const { attended } = this.hub;
    if (!this.isOpen || !attended) return;
    const now = attended.now();
    const { bytesRead, writableLength } = this.socket;
    const isAlive = this.#wasActive || bytesRead !== this.#bytesRead || this.#commandQueue?.isThrottled;
    this.#wasActive = false;
    this.#bytesRead = bytesRead;
    if (isAlive) this.#silentSince = now;
    else if (now - this.#silentSince >= NEARLY * attended.intervalMs + this.#readingMs) {
      this.close(CLOSE.heartbeatMissed);
      return;
    }
    // The data that a slow socket has not sent contains ping frames.
    if (writableLength === 0) this.#ping(ping);
  }

  close({ code, meaning }: CloseCode, last?: ControlMessage): void {
    if (!this.isOpen) return;
    if (last) this.send(last);
    this.stop("closing");
    this.#commandQueue?.clear();
    this.#websocket.close(code, meaning);
    this.#cancelTerminate = this.hub.clock.after(CLOSE_TIMEOUT_MS, () => this.#websocket.terminate(), true);
  }

  /** Receives the answer to a ping frame. */
  receivePong(): void {
    this.noteActivity();
    this.#unansweredPings = Math.max(0, this.#unansweredPings - 1);
    if (this.#unansweredPings === 0) this.#bytesBeforePing = 0;
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

  protected override write(frames: Buffer, events: number): void {
    super.write(frames, events);
    if (!this.hub.attended) return;
    this.#bytesSincePing += frames.length;
    if (this.#bytesSincePing >= BYTES_PER_PING) this.#ping(PING_FRAME);
  }

  #ping(frames: Buffer): void {
    this.#bytesBeforePing = Math.max(this.#bytesBeforePing, this.#bytesSincePing);
    this.#bytesSincePing = 0;
    this.#unansweredPings += 1;
    super.write(frames, 0);
  }

  /** How long a slow client may need before its next sign of life, in addition to the heartbeat interval. In ms. */
  get #readingMs(): number {
    // While the server does not read the socket, it cannot see answers.
    const bytes = this.#commandQueue?.isPaused ? this.unsentBytes + KERNEL_STEP_BYTES : this.#bytesBeforePing;
    return bytes / SLOWEST_BYTES_PER_MS;
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
  (this as Owned)[CONNECTION].receivePong();
}

function onPing(this: WebSocket): void {
  (this as Owned)[CONNECTION].countPing();
}

function onError(): void {}

function onClose(this: WebSocket): void {
  (this as Owned)[CONNECTION].end();
}
