import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { flockTo, rowsOf, type Suite, type Workload, workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  /** Duration of the measurement, and of the warm-up before it. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

const LOADS: Readonly<Record<Size, Load>> = {
  full: { clients: 100, seconds: 10, warmUpSeconds: 3 },
  quick: { clients: 100, seconds: 3, warmUpSeconds: 2 },
  tiny: { clients: 3, seconds: 0.5, warmUpSeconds: 0.1 },
};

/** Measures the time from publish to arrival. */
export const suite: Suite = {
  name: "latency",
  about: "How long is an event on its way, at different paces?",
  minutes: { full: 7, quick: 1 },
  workloads: [pace("single", 10), pace("hundred", 100), pace("thousand", 1_000)],
};

function pace(name: string, perSecond: number): Workload {
  return workload({
    name,
    loads: LOADS,
    title: ({ clients }) => `${clients} clients, ${counted(perSecond)} events a second`,
    columns: ["p50Ms", "p99Ms", "cpuPercent"],
    comparisons: ["ws", "socket.io"].flatMap((peer) => [
      flockTo(peer, "p50 latency", "p50Ms"),
      flockTo(peer, "p99 latency", "p99Ms", { chart: `p99 latency: ${counted(perSecond)} events/s` }),
    ]),
    rows: (load) => rowsOf(PEERS, (peer) => measure(peer, perSecond, load)),
  });
}

async function measure(peer: Peer, perSecond: number, { clients, seconds, warmUpSeconds }: Load): Promise<Figures> {
  return Pair.with(peer, {}, async (pair) => {
    await pair.join("all", clients);
    await pair.exchange("all", { events: perSecond * warmUpSeconds, perSecond });
    const { received, used } = await pair.exchange("all", { events: perSecond * seconds, perSecond });
    return { p50Ms: received.p50Ms, p99Ms: received.p99Ms, cpuPercent: (used.cpuMs / received.elapsedMs) * 100 };
  });
}
