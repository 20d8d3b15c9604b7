import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { type Comparison, flockTo, rowsOf, type Suite, type Workload, workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  readonly events: number;
  /** Events per second; null publishes as fast as possible. */
  readonly perSecond: number | null;
}

/** Events before the measurement, so that the code is compiled. */
const WARM_UP = 500;

/** Sends the same events to many clients. */
export const suite: Suite = {
  name: "fanout",
  about: "How much CPU and memory does sending every event to all clients take?",
  minutes: { full: 2, quick: 0.5 },
  workloads: [
    sending(
      "burst",
      { clients: 200, events: 5_000, perSecond: null },
      ({ clients, events }) => `${clients} clients, ${counted(events)} events as fast as they come`,
      [perCpu("ws", 20, "CPU: fan-out, a burst"), perCpu("socket.io", 25, "CPU: fan-out, a burst")],
    ),
    sending(
      "paced",
      { clients: 500, events: 1_600, perSecond: 400 },
      ({ clients, perSecond }) => `${clients} clients, ${perSecond} events a second`,
      [perCpu("ws", 5, "CPU: fan-out, 400 events/s"), perCpu("socket.io", 5, "CPU: fan-out, 400 events/s")],
    ),
    sending(
      "single",
      { clients: 100, events: 200, perSecond: 40 },
      ({ clients, perSecond }) => `${clients} clients, one event every ${1_000 / (perSecond ?? 1)} ms`,
      [flockTo("ws", "p99 latency", "p99Ms", { target: { atMost: 1.5 } })],
    ),
  ],
};

function sending(
  name: string,
  full: Load,
  title: (load: Load) => string,
  comparisons: readonly Comparison[],
): Workload {
  const loads: Record<Size, Load> = {
    full,
    quick: { ...full, events: full.events / 4 },
    tiny: { ...full, clients: 3, events: 20 },
  };
  return workload({
    name,
    loads,
    title,
    columns: ["perSecond", "perCpuSecond", "p50Ms", "p99Ms", "rssMB"],
    comparisons,
    rows: (load) => rowsOf(PEERS, (peer) => measure(peer, load)),
  });
}

async function measure(peer: Peer, { clients, events, perSecond }: Load): Promise<Figures> {
  return Pair.with(peer, {}, async (pair) => {
    await pair.join("all", clients);
    await pair.exchange("all", { events: Math.min(WARM_UP, events), perSecond });
    const { received, used } = await pair.exchange("all", { events, perSecond });
    return {
      perSecond: (received.deliveries / received.elapsedMs) * 1_000,
      perCpuSecond: (received.deliveries / used.cpuMs) * 1_000,
      p50Ms: received.p50Ms,
      p99Ms: received.p99Ms,
      rssMB: used.rssMB,
    };
  });
}

function perCpu(peer: Peer, atLeast: number, chart: string): Comparison {
  return flockTo(peer, "deliveries per CPU second", "perCpuSecond", { target: { atLeast }, chart });
}
