import { setTimeout as pause } from "node:timers/promises";
import type { LoadCalls, Peer, Publishing, Received, ServerCalls, ServerOptions, Used } from "./calls.ts";
import { type Child, start } from "./child.ts";

const SERVERS: Readonly<Record<Peer, string>> = {
  flock: "servers/flock.ts",
  ws: "servers/ws.ts",
  "socket.io": "peers/socket.io.ts",
};
/** Time limit of every exchange, in ms: beyond it, something hangs. */
const PATIENCE_MS = 120_000;
/** Interval for sampling a server's memory, in ms. */
const WATCH_EVERY_MS = 250;

/** A server and its clients, each in its own process. */
export class Pair {
  readonly peer: Peer;
  readonly port: number;
  readonly server: Child<ServerCalls>;
  readonly load: Child<LoadCalls>;

  /** @internal */
  private constructor(peer: Peer, port: number, server: Child<ServerCalls>, load: Child<LoadCalls>) {
    this.peer = peer;
    this.port = port;
    this.server = server;
    this.load = load;
  }

  /** Runs work with a new server and new clients, and ends both in any case. */
  static async with<T>(peer: Peer, options: Partial<ServerOptions>, work: (pair: Pair) => Promise<T>): Promise<T> {
    const server = start<ServerCalls>(SERVERS[peer], options);
    const load = start<LoadCalls>("load/main.ts");
    try {
      return await work(new Pair(peer, await server.ask("port"), server, load));
    } finally {
      await Promise.all([server.end(), load.end()]);
    }
  }

  /** Reports the server's memory to `look` repeatedly until `work` is done. */
  async watch<T>(work: Promise<T>, look: (rssMB: number) => void): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    while (!done) {
      await Promise.race([pause(WATCH_EVERY_MS), finished.catch(() => {})]);
      look((await this.server.ask("measure", "never")).rssMB);
    }
    return finished;
  }

  /** Connects a crowd of clients that subscribe to everything from event number `first`. */
  join(crowd: string, clients: number, first = 0, compression = false): Promise<void> {
    return this.load.ask("join", { crowd, peer: this.peer, port: this.port, clients, first, compression });
  }

  /**
   * Publishes, and waits until the whole crowd has received everything.
   * @throws Error when an event was lost, duplicated or out of order.
   */
  async exchange(crowd: string, task: Publishing): Promise<{ received: Received; used: Use }> {
    await this.load.ask("begin", crowd);
    const before = await this.server.ask("measure", "once");
    const { total } = await this.server.ask("publish", task);
    const received = await this.load.ask("receive", crowd, total, PATIENCE_MS);
    this.assertWhole(received);
    return { received, used: between(before, await this.server.ask("measure", "once")) };
  }

  /**
   * Checks received events.
   * @throws Error when an event was lost, duplicated or out of order, or a client was lost.
   */
  assertWhole({ complete, mistakes, firstMistake, deliveries, lost, lostBecause }: Received): void {
    if (lost > 0) throw new Error(`${this.peer}: ${lost} clients were lost: ${lostBecause}`);
    if (mistakes > 0)
      throw new Error(`${this.peer}: ${mistakes} events were lost, duplicated or out of order: ${firstMistake}`);
    if (!complete) throw new Error(`${this.peer}: not everything arrived in time, only ${deliveries} deliveries`);
  }
}

/** Resource usage of a server over a period. */
export interface Use {
  readonly cpuMs: number;
  /** Memory at the end, and its growth. */
  readonly rssMB: number;
  readonly grownMB: number;
}

/** Returns the usage between two measurements. */
export function between(before: Used, after: Used): Use {
  return { cpuMs: after.cpuMs - before.cpuMs, rssMB: after.rssMB, grownMB: after.rssMB - before.rssMB };
}
