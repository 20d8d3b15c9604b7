import type { Peer } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { type Comparison, flockTo, rowsOf, type Suite, type Workload, workload } from "./suite.ts";

interface Storm {
  readonly clients: number;
  /** Number of events that each client missed. */
  readonly missed: number;
  /** Time limit of a storm, in ms. */
  readonly patienceMs: number;
}

const MANY = { clients: 2_000, missed: 1_000 };
/** Events before the measurement, and live events after all clients are back. */
const WARM_UP = 200;
const AFTERWARDS = 20;

/** All clients disconnect and reconnect at once. */
export const suite: Suite = {
  name: "storm",
  about:
    "All clients disconnect and reconnect at once: how long until each has the events it missed, and at what cost?",
  minutes: { full: 4, quick: 1 },
  workloads: [
    // The pace that Socket.IO can handle while it replays missed events.
    storm("calm", ["flock", "socket.io"], 20, [
      flockTo("socket.io", "server CPU time for an event", "cpuPerEvent", { chart: "CPU: 2,000 reconnect at once" }),
      flockTo("socket.io", "time until all have caught up", "seconds"),
    ]),
    storm("busy", ["flock"], 100, []),
  ],
};

/** Measures a reconnect of all clients while events continue at a pace. */
function storm(name: string, peers: readonly Peer[], perSecond: number, comparisons: readonly Comparison[]): Workload {
  return workload({
    name,
    loads: {
      full: { ...MANY, patienceMs: 240_000 },
      quick: { ...MANY, patienceMs: 120_000 },
      tiny: { clients: 20, missed: 50, patienceMs: 10_000 },
    },
    title: ({ clients, missed }) =>
      `${counted(clients)} clients reconnect after ${counted(missed)} missed events, ${perSecond} more are published every second`,
    columns: ["seconds", "cpuPerEvent", "deliveries", "mistakes", "rssMB"],
    comparisons,
    rows: (load) => rowsOf(peers, (peer) => measure(peer, perSecond, load)),
  });
}

async function measure(peer: Peer, perSecond: number, { clients, missed, patienceMs }: Storm): Promise<Figures> {
  return Pair.with(peer, { recovery: true }, async (pair) => {
    const { server, load } = pair;
    await pair.join("all", clients);
    await pair.exchange("all", { events: WARM_UP, perSecond: null });
    await load.ask("drop", "all");
    const { total } = await server.ask("publish", { events: missed, perSecond: null });
    await load.ask("begin", "all");
    const before = await server.ask("measure", "once");
    const started = performance.now();
    const publishing = server.ask("publish", { events: Number.MAX_SAFE_INTEGER, perSecond });
    await load.ask("comeBack", "all");
    const caughtUp = await load.ask("receive", "all", total, patienceMs);
    const seconds = (performance.now() - started) / 1_000;
    const { cpuMs, rssMB } = between(before, await server.ask("measure", "never"));
    await server.ask("stop");
    await publishing;
    // Events that arrived meanwhile and new ones must be complete, too.
    const after = await server.ask("publish", { events: AFTERWARDS, perSecond });
    const all = await load.ask("receive", "all", after.total, patienceMs);
    // Flock must not lose events. What a peer recovers is a finding.
    if (peer === "flock") for (const received of [caughtUp, all]) pair.assertWhole(received);
    return {
      seconds: caughtUp.complete ? seconds : null,
      cpuPerEvent: (cpuMs / caughtUp.deliveries) * 1_000,
      deliveries: caughtUp.deliveries,
      mistakes: all.mistakes,
      rssMB,
    };
  });
}
