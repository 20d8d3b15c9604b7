import { setTimeout as pause } from "node:timers/promises";
import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Comparison, type Round, ratio, type Suite, type Workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  /** How many of them stop reading, in the row where somebody does. */
  readonly stalled: number;
  readonly perSecond: number;
  /** How long events are published while nobody stalls; while some do; and to a server that cannot keep up. */
  readonly seconds: { readonly healthy: number; readonly stalled: number; readonly overloaded: number };
}

const LOADS: Readonly<Record<Size, Omit<Load, "perSecond">>> = {
  full: { clients: 500, stalled: 100, seconds: { healthy: 20, stalled: 60, overloaded: 30 } },
  quick: { clients: 500, stalled: 100, seconds: { healthy: 5, stalled: 10, overloaded: 10 } },
  tiny: { clients: 5, stalled: 1, seconds: { healthy: 0.2, stalled: 0.5, overloaded: 0.2 } },
};
/** A server that takes more memory than this is stopped: what it does is clear by then, and the machine has to live. */
const TOO_MUCH_MB = 1_500;
/** How long everybody may take to get what was published, in ms. */
const PATIENCE_MS = 120_000;
/** Seconds at the same pace before anything is measured. */
const WARM_UP = { full: 3, quick: 2, tiny: 0.1 };

const COLUMNS = [
  { key: "publishedPerSecond", title: "events/s", digits: 0 },
  { key: "p50Ms", title: "healthy p50 ms", digits: 2 },
  { key: "p99Ms", title: "healthy p99 ms", digits: 2 },
  { key: "grownMB", title: "RSS grown by MB", digits: 0 },
  { key: "catchUpSeconds", title: "s to catch up", digits: 1 },
  { key: "mistakes", title: "lost or doubled", digits: 0 },
  { key: "lost", title: "clients lost", digits: 0 },
];

/** Clients that stop reading. */
export const suite: Suite = {
  name: "stalled",
  about:
    "A fifth of the clients stop reading for a minute: what do the others notice, what does it cost, who loses what?",
  minutes: { full: 16, quick: 2 },
  workloads: [
    workload(
      "thousand",
      1_000,
      ["flock"],
      ["ws", "socket.io"],
      [
        healthyP99("flock", 1.2),
        {
          what: "MB that the memory of Flock's server grows by, in all",
          of: (round) => round[rowOf("flock", "some")]?.grownMB ?? undefined,
          target: { atMost: 64 },
        },
      ],
    ),
    workload(
      "hundred",
      100,
      PEERS,
      [],
      PEERS.map((peer) => healthyP99(peer)),
    ),
  ],
};

/** At a pace that everybody keeps, half the time shows as much. */
function loadOf(size: Size, perSecond: number): Omit<Load, "perSecond"> {
  const load = LOADS[size];
  if (perSecond >= 1_000) return load;
  const { healthy, stalled, overloaded } = load.seconds;
  return { ...load, seconds: { healthy: healthy / 2, stalled: stalled / 2, overloaded } };
}

function workload(
  name: string,
  perSecond: number,
  able: readonly Peer[],
  overloaded: readonly Peer[],
  comparisons: readonly Comparison[],
): Workload {
  return {
    name,
    title: (size) => {
      const { clients, stalled, seconds } = loadOf(size, perSecond);
      const pace = perSecond.toLocaleString("en-US");
      return `${clients} clients, ${pace} events a second, ${stalled} of the clients stop reading for ${seconds.stalled} s`;
    },
    rounds: 3,
    columns: COLUMNS,
    comparisons,
    round: async (size) => {
      const round: Record<string, Round[string]> = {};
      const { clients, stalled, seconds } = loadOf(size, perSecond);
      const load = { clients, perSecond, warmUp: WARM_UP[size] };
      for (const peer of able) {
        round[rowOf(peer, "none")] = await measure(peer, { ...load, stalled: 0, seconds: seconds.healthy });
        round[rowOf(peer, "some")] = await measure(peer, { ...load, stalled, seconds: seconds.stalled });
      }
      for (const peer of overloaded) {
        round[rowOf(peer, "some")] = await measure(peer, { ...load, stalled, seconds: seconds.overloaded });
      }
      return round;
    },
  };
}

function rowOf(peer: Peer, stalled: "none" | "some"): string {
  return `${peer}, ${stalled} stalled`;
}

function healthyP99(peer: Peer, atMost?: number): Comparison {
  return {
    what: `p99 latency of ${peer}'s healthy clients, some stalled to none`,
    of: ratio("p99Ms", rowOf(peer, "some"), rowOf(peer, "none")),
    ...(atMost === undefined ? {} : { target: { atMost } }),
  };
}

async function measure(
  peer: Peer,
  { clients, stalled, perSecond, seconds, warmUp }: Omit<Load, "seconds"> & { seconds: number; warmUp: number },
): Promise<Round[string]> {
  return Pair.with(peer, {}, async (pair) => {
    const { server, load } = pair;
    await pair.join("healthy", clients - stalled);
    await pair.join("slow", stalled);
    const begun = await server.ask("publish", { events: perSecond, perSecond: perSecond / warmUp });
    await load.ask("receive", "slow", begun.total, PATIENCE_MS);
    await load.ask("receive", "healthy", begun.total, PATIENCE_MS);
    const before = await server.ask("measure", "once");
    let most = before.rssMB;
    const look = (rssMB: number) => {
      most = Math.max(most, rssMB);
      if (rssMB > TOO_MUCH_MB) void server.ask("stop");
    };

    await load.ask("stall", "slow");
    await load.ask("begin", "slow");
    await load.ask("begin", "healthy");
    const late = pause(seconds * 1_100, undefined, { ref: false }).then(() => server.ask("stop"));
    // It fails when the server has been ended before.
    late.catch(() => {});
    const published = await pair.watch(server.ask("publish", { events: perSecond * seconds, perSecond }), look);
    const healthy = await pair.watch(load.ask("receive", "healthy", published.total, PATIENCE_MS), look);
    const reading = performance.now();
    await load.ask("read", "slow");
    const slow = await pair.watch(load.ask("receive", "slow", published.total, PATIENCE_MS), look);
    const catchUpSeconds = (performance.now() - reading) / 1_000;
    // Flock promises that nothing is missing. What a peer does is a finding.
    if (peer === "flock") for (const received of [healthy, slow]) pair.assertWhole(received);
    return {
      publishedPerSecond: (published.events / published.elapsedMs) * 1_000,
      p50Ms: healthy.p50Ms,
      p99Ms: healthy.p99Ms,
      grownMB: most - before.rssMB,
      catchUpSeconds: stalled > 0 && slow.complete ? catchUpSeconds : null,
      mistakes: healthy.mistakes + slow.mistakes,
      lost: healthy.lost + slow.lost,
    };
  });
}
