import { setTimeout as pause } from "node:timers/promises";
import type { LoadCalls, Peer, Publishing, Received, ServerCalls, ServerOptions, Used } from "./calls.ts";
import { type Child, start } from "./child.ts";

const SERVERS: Readonly<Record<Peer, string>> = {
  flock: "servers/flock.ts",
  ws: "servers/ws.ts",
  "socket.io": "peers/socket.io.ts",
};
/** Longer than any exchange needs, in ms: what hangs is a failure, not a slow server. */
const PATIENCE_MS = 120_000;
/** How often a server's memory is looked at, in ms. */
const WATCH_EVERY_MS = 250;

/** A server, and its clients, each in a process of its own. */
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

  /** Does something with a new server and new clients, and ends both, however that goes. */
  static async with<T>(peer: Peer, options: Partial<ServerOptions>, work: (pair: Pair) => Promise<T>): Promise<T> {
    const server = start<ServerCalls>(SERVERS[peer], options);
    const load = start<LoadCalls>("load/main.ts");
    try {
      return await work(new Pair(peer, await server.ask("port"), server, load));
    } finally {
      await Promise.all([server.end(), load.end()]);
    }
  }

  /** Tells `look` again and again how much memory the server has, until `work` is done. */
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

  /** Connects a crowd of clients that follow everything from the event numbered `first` on. */
  join(crowd: string, clients: number, first = 0, compression = false): Promise<void> {
    return this.load.ask("join", { crowd, peer: this.peer, port: this.port, clients, first, compression });
  }

  /**
   * Publishes, and waits until the whole crowd has received it.
   * @throws Error when an event was lost, doubled or out of order.
   */
  async exchange(crowd: string, task: Publishing): Promise<{ received: Received; used: Use }> {
    await this.load.ask("begin", crowd);
    const before = await this.server.ask("measure", "once");
    const { total } = await this.server.ask("publish", task);
    const received = await this.load.ask("receive", crowd, total, PATIENCE_MS);
    this.assertWhole(received);
    return { received, used: between(before, await this.server.ask("measure", "once")) };
  }

  /** @throws Error when an event was lost, doubled or out of order, or a client. */
  assertWhole({ complete, mistakes, firstMistake, deliveries, lost, lostBecause }: Received): void {
    if (lost > 0) throw new Error(`${this.peer}: ${lost} clients were lost: ${lostBecause}`);
    if (mistakes > 0)
      throw new Error(`${this.peer}: ${mistakes} events were lost, doubled or out of order: ${firstMistake}`);
    if (!complete) throw new Error(`${this.peer}: not everything came in time, only ${deliveries} deliveries`);
  }
}

/** What a server used in a while. */
export interface Use {
  readonly cpuMs: number;
  /** Memory at its end, and what it had grown by. */
  readonly rssMB: number;
  readonly grownMB: number;
}

/** What was used from one measurement to the next. */
export function between(before: Used, after: Used): Use {
  return { cpuMs: after.cpuMs - before.cpuMs, rssMB: after.rssMB, grownMB: after.rssMB - before.rssMB };
}
