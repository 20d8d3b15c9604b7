import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connectQuerySchema, graphOf, OWNER } from "@flock-ts/protocol";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { type Clock, elapsed, systemClock } from "../core/clock.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { Hub } from "../delivery/hub.ts";
import { EventLog } from "../log/event-log.ts";
import { type Batch, LogBuffer } from "../log/log-buffer.ts";
import { Page } from "../log/page.ts";
import type { Scope } from "../log/scope.ts";
import type { Recording } from "./recording.ts";

/** Options of {@link serveRecording}. */
export interface ServeRecordingOptions {
  /** Speed of the replay: 1 is real time, 10 is ten times as fast, `max` sends everything at once. Default: `max`. */
  readonly speed?: number | "max";
  /** Port on this machine. Default: 0, a free port. */
  readonly port?: number;
  /** Clock of the pauses between events. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A server that replays a recording. */
export interface RecordingServer extends AsyncDisposable {
  /** URL for `connect` of `@flock-ts/client`. */
  readonly url: string;
  /** Resolves when the last event is in the log. */
  readonly finished: Promise<void>;
  /** Sends a close notice to every client and stops the server. */
  close(): Promise<void>;
}

/** Default path of a flock's WebSocket. */
const PATH = "/plugin/ws";

const optionsSchema = z.strictObject({
  speed: z.union([z.literal("max"), z.number().positive()]).default("max"),
  port: z.int().min(0).max(65_535).default(0),
  clock: z.custom<Clock>((value) => typeof (value as Partial<Clock> | null)?.after === "function").default(systemClock),
});

/**
 * Serves a recording at `/plugin/ws` like a flock's server, with resume, filters and control messages. The replay
 * starts immediately; later clients get earlier events with `since`. Commands other than `graph` and `ping` are
 * rejected.
 *
 * @example
 * await using server = await serveRecording(recording, { speed: 10 });
 *
 * @throws FlockError `invalid_options`.
 * @throws Error when the port is in use.
 */
export async function serveRecording(
  recording: Recording,
  options: ServeRecordingOptions = {},
): Promise<RecordingServer> {
  const { speed, port, clock } = checkOptions("serveRecording", optionsSchema, options);
  const log = new RecordedLog(recording);
  const refuse = async (): Promise<never> => {
    throw new FlockError("not_allowed", "The command was rejected: the server replays a recording.");
  };
  const hub = new Hub({
    log,
    commands: {
      publish: refuse,
      invoke: refuse,
      cancel: refuse,
      answer: refuse,
      pause: refuse,
      resume: refuse,
      preview: refuse,
      questions: () => [],
      graph: () => graphOf(recording.state(log.head)),
    },
    serverVersion: VERSION,
    heartbeatInterval: null,
    onFailure: (error) => console.error(error),
  });
  const http = createServer((_, response) => response.writeHead(426).end("WebSocket required: connect with `ws://`."));
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const query = connectQuerySchema.safeParse(Object.fromEntries(searchParams));
    if (pathname !== PATH || !query.success) {
      socket.end(`HTTP/1.1 ${query.success ? "404 Not Found" : "400 Bad Request"}\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (websocket) =>
      hub.connect(websocket, request.socket, query.data, OWNER),
    );
  });
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  const { finished, stop } = play(recording, log, speed, clock);
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= (async () => {
      stop();
      await hub.close("recording closed");
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    })());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}${PATH}`;
  return { url, finished, close, [Symbol.asyncDispose]: close };
}

/** Appends the recorded events to the log at their original pace. */
function play(
  { events }: Recording,
  log: RecordedLog,
  speed: number | "max",
  clock: Clock,
): { readonly finished: Promise<void>; readonly stop: () => void } {
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  const times = events.map(({ timestamp }) => Date.parse(timestamp));
  const begun = elapsed(clock);
  let stop = () => {};
  const playFrom = (index: number): void => {
    let next = index;
    const due = (at: number) => (speed === "max" ? 0 : ((times[at] ?? 0) - (times[0] ?? 0)) / speed);
    while (next < events.length && due(next) <= elapsed(clock) - begun) next += 1;
    const last = events[next - 1];
    if (last) log.growTo(last.seq);
    if (next === events.length) resolve();
    else stop = clock.after(due(next) - (elapsed(clock) - begun), () => playFrom(next), true);
  };
  playFrom(0);
  return { finished, stop: () => stop() };
}

/** A log that grows to the recorded events. */
class RecordedLog extends EventLog {
  override readonly buffer: RecordedTail;

  constructor(recording: Recording) {
    super(recording.head.epoch ?? "recording", 0);
    this.buffer = new RecordedTail(recording);
  }

  growTo(seq: number): void {
    this.buffer.growTo(seq);
    this.append([]);
  }
}

/** The recorded events so far. It may have gaps where a log was compacted or filtered. */
class RecordedTail extends LogBuffer {
  readonly #page: Page;
  #head: number;

  constructor({ head: { from_seq: first, to_seq: last }, events }: Recording) {
    super(0);
    this.#page = new Page({ first, last, lines: events.map((event) => JSON.stringify(event)).join("\n") });
    this.#head = first - 1;
  }

  override get head(): number {
    return this.#head;
  }

  override get oldest(): number {
    return this.#page.first;
  }

  override read(after: number, until: number, scope: Scope | undefined, maxBytes: number): Batch {
    return this.#page.read(after, Math.min(until, this.#head), scope, maxBytes);
  }

  override beforeNewest(count: number, until: number, scope: Scope | undefined): { after: number; missing: number } {
    return this.#page.beforeNewest(count, until, scope);
  }

  growTo(seq: number): void {
    this.#head = seq;
  }
}
