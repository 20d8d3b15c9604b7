import { PEERS, type Peer } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Comparison, type Round, ratio, type Suite, type Workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  readonly events: number;
  /** Null: as fast as the publisher can. */
  readonly perSecond: number | null;
}

const COLUMNS = [
  { key: "perSecond", title: "deliveries/s", digits: 0 },
  { key: "perCpuSecond", title: "deliveries/CPU s", digits: 0 },
  { key: "p50Ms", title: "p50 ms", digits: 2 },
  { key: "p99Ms", title: "p99 ms", digits: 2 },
  { key: "rssMB", title: "RSS MB", digits: 0 },
];
/** Events before anything is measured: the code is compiled then. */
const WARM_UP = 500;

/** The same events to many clients. */
export const suite: Suite = {
  name: "fanout",
  about: "How much of a machine does it take to send every event to everybody?",
  minutes: { full: 2, quick: 0.5 },
  workloads: [
    workload(
      "burst",
      { clients: 200, events: 5_000, perSecond: null },
      ({ clients, events }) => `${clients} clients, ${events.toLocaleString("en-US")} events as fast as they come`,
      [perCpu("ws", 20, "CPU: fan-out, a burst"), perCpu("socket.io", 25, "CPU: fan-out, a burst")],
    ),
    workload(
      "paced",
      { clients: 500, events: 1_600, perSecond: 400 },
      ({ clients, perSecond }) => `${clients} clients, ${perSecond} events a second`,
      [perCpu("ws", 5, "CPU: fan-out, 400 events/s"), perCpu("socket.io", 5, "CPU: fan-out, 400 events/s")],
    ),
    workload(
      "single",
      { clients: 100, events: 200, perSecond: 40 },
      ({ clients, perSecond }) => `${clients} clients, one event every ${1_000 / (perSecond ?? 1)} ms`,
      [{ what: "p99 latency, Flock to ws", of: ratio("p99Ms", "flock", "ws"), target: { atMost: 1.5 } }],
    ),
  ],
};

function workload(
  name: string,
  whole: Load,
  title: (load: Load) => string,
  comparisons: readonly Comparison[],
): Workload {
  return {
    name,
    title: (size) => title(loadOf(whole, size)),
    rounds: 3,
    columns: COLUMNS,
    comparisons,
    round: async (size) => {
      const round: Record<string, Round[string]> = {};
      for (const peer of PEERS) round[peer] = await measure(peer, loadOf(whole, size));
      return round;
    },
  };
}

function loadOf(whole: Load, size: Size): Load {
  if (size === "full") return whole;
  return size === "quick" ? { ...whole, events: whole.events / 4 } : { ...whole, clients: 3, events: 20 };
}

async function measure(peer: Peer, { clients, events, perSecond }: Load): Promise<Round[string]> {
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

function perCpu(peer: "ws" | "socket.io", atLeast: number, label: string): Comparison {
  return {
    what: `deliveries per CPU second, Flock to ${peer}`,
    of: ratio("perCpuSecond", "flock", peer),
    target: { atLeast },
    chart: { label, peer },
  };
}
