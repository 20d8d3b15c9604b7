import type { ControlMessage, FlockEvent } from "@flock-ts/protocol";

/** A WebSocket without a network: tests play the server. */
export class FakeSocket {
  readonly url: string;
  /** Everything that the client sent. */
  readonly sent: Record<string, unknown>[] = [];
  readyState = 0;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message?: string }) => void) | null = null;

  constructor(url: string | URL) {
    this.url = String(url);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  /** Delivers a message to the client. */
  receive(message: Record<string, unknown>): void {
    this.receiveText(JSON.stringify(message));
  }

  receiveText(data: unknown): void {
    this.onmessage?.({ data });
  }

  /** Opens the socket and sends `hello`. */
  hello({ epoch = "one", head = 0, heartbeat_interval = null as number | null, ...more } = {}): void {
    this.readyState = 1;
    this.receive({ ...HELLO, epoch, head, heartbeat_interval, ...more });
  }

  /** Closes the socket, as the server or the network does. */
  lose(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

const HELLO = { type: "hello", protocol: 1, server_version: "0", oldest: 1, connection_id: "c1" };

/** Returns a WebSocket class whose instances are collected in `sockets`. */
export function fakeWebSocket(): { readonly WebSocket: typeof WebSocket; readonly sockets: FakeSocket[] } {
  const sockets: FakeSocket[] = [];
  class Collected extends FakeSocket {
    constructor(url: string | URL) {
      super(url);
      sockets.push(this);
    }
  }
  return { WebSocket: Collected as never, sockets };
}

/** Returns a `hello` message. */
export const hello = (epoch: string, head = 0): ControlMessage =>
  ({ ...HELLO, epoch, head, heartbeat_interval: null }) as ControlMessage;

/** Returns an event with only the fields that the client reads. */
export const outputEvent = (seq: number): FlockEvent =>
  ({
    type: "streaming_output",
    seq,
    timestamp: "2026-01-01T00:00:00.000Z",
    agent_id: "a",
    run_id: `r${seq}`,
    correlation_id: "c",
    content: `${seq}`,
    offset: 0,
    is_complete: false,
    output_type: "text",
  }) satisfies FlockEvent;
