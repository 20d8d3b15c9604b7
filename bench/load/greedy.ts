import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Greed, Greedy } from "../calls.ts";
import { upgradeRequest } from "./client.ts";
import { clientFrame } from "./frames.ts";

/** Number of commands per write. */
const COMMANDS_AT_ONCE = 1_000;
/** Interval between requests for the whole log, in ms: far shorter than sending it takes. */
const REPLAY_EVERY_MS = 20;

/** A client that requests as much as possible and discards what it receives. */
export class GreedyClient {
  readonly #greed: Greed;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(greed: Greed) {
    this.#greed = greed;
  }

  async begin(port: number): Promise<void> {
    const socket = connect(port, "127.0.0.1");
    this.#socket = socket;
    socket.write(upgradeRequest(port, "/plugin/ws?types=agent_registered"));
    await once(socket, "data");
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      clearInterval(this.#timer);
    });
    if (this.#greed === "commands") this.#flood(socket);
    else {
      const replay = clientFrame(JSON.stringify({ id: 1, type: "subscribe", filter: {}, since: 0 }));
      this.#timer = setInterval(() => socket.writableLength === 0 && socket.write(replay), REPLAY_EVERY_MS);
    }
  }

  end(): Greedy {
    clearInterval(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    const greedy = {
      sentBytes: (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0),
      receivedBytes: socket?.bytesRead ?? 0,
      closed: this.#closed,
    };
    socket?.destroy();
    return greedy;
  }

  /** Sends commands as fast as the server reads them. */
  #flood(socket: Socket): void {
    const commands = Buffer.concat(
      Array.from({ length: COMMANDS_AT_ONCE }, (_, id) => clientFrame(JSON.stringify({ id, type: "graph" }))),
    );
    const write = () => {
      while (!this.#closed && this.#socket === socket && socket.write(commands));
    };
    socket.on("drain", write);
    write();
  }
}
