import { setTimeout as pause } from "node:timers/promises";
import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size, Target } from "../report/report.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { type Comparison, type Suite, type Workload, workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  /** Number of clients that stop reading, in the rows with stalled clients. */
  readonly stalled: number;
  /** Duration with healthy clients, with stalled clients, and with an overloaded server. */
  readonly seconds: { readonly healthy: number; readonly stalled: number; readonly overloaded: number };
  /** Warm-up in seconds, at the same pace. */
  readonly warmUp: number;
}

const LOADS: Readonly<Record<Size, Load>> = {
  full: { clients: 500, stalled: 100, seconds: { healthy: 20, stalled: 60, overloaded: 30 }, warmUp: 3 },
  quick: { clients: 500, stalled: 100, seconds: { healthy: 5, stalled: 10, overloaded: 10 }, warmUp: 2 },
  tiny: { clients: 5, stalled: 1, seconds: { healthy: 0.2, stalled: 0.5, overloaded: 0.2 }, warmUp: 0.1 },
};
/** Memory limit: beyond it, the result is clear and the server is stopped to protect the machine. */
const TOO_MUCH_MB = 1_500;
/** Time limit for all published events, in ms. */
const PATIENCE_MS = 120_000;

/** Measures clients that stop reading. */
export const suite: Suite = {
  name: "stalled",
  about:
    "A fifth of the clients stop reading for a minute: what do the others notice, what does it cost, who loses what?",
  minutes: { full: 16, quick: 2 },
  workloads: [
    stalling(
      "thousand",
      1_000,
      LOADS,
      ["flock"],
      ["ws", "socket.io"],
      [
        healthyP99("flock", { atMost: 1.2 }),
        {
          what: "MB that the memory of Flock's server grows by, in all",
          of: [rowOf("flock", "some"), "grownMB"],
          target: { atMost: 64 },
        },
      ],
    ),
    // At a pace that all peers can keep, half the duration is enough.
    stalling(
      "hundred",
      100,
      { full: halved(LOADS.full), quick: halved(LOADS.quick), tiny: halved(LOADS.tiny) },
      PEERS,
      [],
      PEERS.map((peer) => healthyP99(peer)),
    ),
  ],
};

function halved(load: Load): Load {
  const { healthy, stalled, overloaded } = load.seconds;
  return { ...load, seconds: { healthy: healthy / 2, stalled: stalled / 2, overloaded } };
}

/** Peers that keep the pace are also measured without stalled clients. */
function stalling(
  name: string,
  perSecond: number,
  loads: Readonly<Record<Size, Load>>,
  able: readonly Peer[],
  overloaded: readonly Peer[],
  comparisons: readonly Comparison[],
): Workload {
  return workload({
    name,
    loads,
    title: ({ clients, stalled, seconds }) =>
      `${clients} clients, ${counted(perSecond)} events a second, ${stalled} of the clients stop reading for ${seconds.stalled} s`,
    columns: ["publishedPerSecond", "healthyP50Ms", "healthyP99Ms", "grownMB", "catchUpSeconds", "mistakes", "lost"],
    comparisons,
    rows: (load) => {
      const { stalled, seconds } = load;
      const measured = (peer: Peer, some: number, lasting: number) => () =>
        measure(peer, { ...load, stalled: some, perSecond, seconds: lasting });
      return Object.fromEntries([
        ...able.flatMap((peer) => [
          [rowOf(peer, "none"), measured(peer, 0, seconds.healthy)],
          [rowOf(peer, "some"), measured(peer, stalled, seconds.stalled)],
        ]),
        ...overloaded.map((peer) => [rowOf(peer, "some"), measured(peer, stalled, seconds.overloaded)]),
      ]);
    },
  });
}

function rowOf(peer: Peer, stalled: "none" | "some"): string {
  return `${peer}, ${stalled} stalled`;
}

function healthyP99(peer: Peer, target?: Target): Comparison {
  return {
    what: `p99 latency of ${peer}'s healthy clients, some stalled to none`,
    of: [rowOf(peer, "some"), "healthyP99Ms"],
    to: [rowOf(peer, "none"), "healthyP99Ms"],
    ...(target ? { target } : {}),
  };
}

async function measure(
  peer: Peer,
  { clients, stalled, perSecond, seconds, warmUp }: Omit<Load, "seconds"> & { perSecond: number; seconds: number },
): Promise<Figures> {
  return Pair.with(peer, {}, async (pair) => {
    const { server, load } = pair;
    await pair.join("healthy", clients - stalled);
    await pair.join("slow", stalled);
    const begun = await server.ask("publish", { events: perSecond, perSecond: perSecond / warmUp });
    await load.ask("receive", "slow", begun.total, PATIENCE_MS);
    await load.ask("receive", "healthy", begun.total, PATIENCE_MS);
    const before = await server.ask("measure", "once");
    let most = before.rssMB;
    // The server may already be gone, after all events were received.
    const stop = () => server.ask("stop").catch(() => {});
    const look = (rssMB: number) => {
      most = Math.max(most, rssMB);
      if (rssMB > TOO_MUCH_MB) void stop();
    };

    await load.ask("stall", "slow");
    await load.ask("begin", "slow");
    await load.ask("begin", "healthy");
    void pause(seconds * 1_100, undefined, { ref: false }).then(stop);
    const published = await pair.watch(server.ask("publish", { events: perSecond * seconds, perSecond }), look);
    const healthy = await pair.watch(load.ask("receive", "healthy", published.total, PATIENCE_MS), look);
    const reading = performance.now();
    await load.ask("read", "slow");
    const slow = await pair.watch(load.ask("receive", "slow", published.total, PATIENCE_MS), look);
    const catchUpSeconds = (performance.now() - reading) / 1_000;
    // Flock must not lose events. A peer's losses are a finding.
    if (peer === "flock") for (const received of [healthy, slow]) pair.assertWhole(received);
    return {
      publishedPerSecond: (published.events / published.elapsedMs) * 1_000,
      healthyP50Ms: healthy.p50Ms,
      healthyP99Ms: healthy.p99Ms,
      grownMB: most - before.rssMB,
      catchUpSeconds: stalled > 0 && slow.complete ? catchUpSeconds : null,
      mistakes: healthy.mistakes + slow.mistakes,
      lost: healthy.lost + slow.lost,
    };
  });
}
