import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Round, ratio, type Suite, type Workload } from "./suite.ts";

const CLIENTS: Readonly<Record<Size, number>> = { full: 100, quick: 100, tiny: 3 };
/** How long events are published at a pace. */
const SECONDS: Readonly<Record<Size, number>> = { full: 10, quick: 3, tiny: 0.5 };
/** How long before, without being measured: the code is compiled then. */
const WARM_UP_SECONDS: Readonly<Record<Size, number>> = { full: 3, quick: 2, tiny: 0.1 };

/** From publishing to arrival. */
export const suite: Suite = {
  name: "latency",
  about: "How long is an event on its way, at different paces?",
  minutes: { full: 7, quick: 1 },
  workloads: [workload("single", 10), workload("hundred", 100), workload("thousand", 1_000)],
};

function workload(name: string, perSecond: number): Workload {
  return {
    name,
    title: (size) => `${CLIENTS[size]} clients, ${perSecond.toLocaleString("en-US")} events a second`,
    rounds: 3,
    columns: [
      { key: "p50Ms", title: "p50 ms", digits: 2 },
      { key: "p99Ms", title: "p99 ms", digits: 2 },
      { key: "cpuPercent", title: "% of a CPU", digits: 0 },
    ],
    comparisons: (["ws", "socket.io"] as const).flatMap((peer) => [
      { what: `p50 latency, Flock to ${peer}`, of: ratio("p50Ms", "flock", peer) },
      {
        what: `p99 latency, Flock to ${peer}`,
        of: ratio("p99Ms", "flock", peer),
        chart: { label: `p99 latency: ${perSecond.toLocaleString("en-US")} events/s`, peer, isCost: true },
      },
    ]),
    round: async (size) => {
      const round: Record<string, Round[string]> = {};
      for (const peer of PEERS) round[peer] = await measure(peer, perSecond, size);
      return round;
    },
  };
}

async function measure(peer: Peer, perSecond: number, size: Size): Promise<Round[string]> {
  return Pair.with(peer, {}, async (pair) => {
    await pair.join("all", CLIENTS[size]);
    await pair.exchange("all", { events: perSecond * WARM_UP_SECONDS[size], perSecond });
    const events = perSecond * SECONDS[size];
    const { received, used } = await pair.exchange("all", { events, perSecond });
    return { p50Ms: received.p50Ms, p99Ms: received.p99Ms, cpuPercent: (used.cpuMs / received.elapsedMs) * 100 };
  });
}
