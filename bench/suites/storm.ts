import type { Peer } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Comparison, type Round, ratio, type Suite, type Workload } from "./suite.ts";

interface Storm {
  readonly clients: number;
  /** How many events each of them has missed. */
  readonly missed: number;
  /** How many events a second are published while they come back. */
  readonly perSecond: number;
}

/** A storm that takes longer than this, in ms, is over without an end. */
const PATIENCE_MS: Readonly<Record<Size, number>> = { full: 240_000, quick: 120_000, tiny: 10_000 };
/** Events before anything is measured, and live ones after everybody is back. */
const WARM_UP = 200;
const AFTERWARDS = 20;

/** Everybody drops and comes back at once. */
export const suite: Suite = {
  name: "storm",
  about: "Everybody drops at once and comes back: how long until all have what they missed, and what does that cost?",
  minutes: { full: 4, quick: 1 },
  workloads: [
    // What Socket.IO can send to so many while it brings back what they missed.
    workload("calm", ["flock", "socket.io"], 20, [
      {
        what: "server CPU time for an event, Flock to socket.io",
        of: ratio("cpuMicros", "flock", "socket.io"),
        chart: { label: "CPU: 2,000 come back at once", peer: "socket.io", isCost: true },
      },
      { what: "time until all are back, Flock to socket.io", of: ratio("seconds", "flock", "socket.io") },
    ]),
    workload("busy", ["flock"], 100, []),
  ],
};

function workload(
  name: string,
  peers: readonly Peer[],
  perSecond: number,
  comparisons: readonly Comparison[],
): Workload {
  return {
    name,
    title: (size) => {
      const { clients, missed } = stormOf(size, perSecond);
      const [some, many] = [clients.toLocaleString("en-US"), missed.toLocaleString("en-US")];
      return `${some} clients come back after ${many} events, ${perSecond} more come every second`;
    },
    rounds: 3,
    columns: [
      { key: "seconds", title: "s until all have all", digits: 2 },
      { key: "cpuMicros", title: "server CPU µs/event", digits: 2 },
      { key: "deliveries", title: "deliveries", digits: 0 },
      { key: "mistakes", title: "lost or doubled", digits: 0 },
      { key: "rssMB", title: "RSS MB", digits: 0 },
    ],
    comparisons,
    round: async (size) => {
      const round: Record<string, Round[string]> = {};
      for (const peer of peers) round[peer] = await measure(peer, stormOf(size, perSecond), PATIENCE_MS[size]);
      return round;
    },
  };
}

function stormOf(size: Size, perSecond: number): Storm {
  if (size === "tiny") return { clients: 20, missed: 50, perSecond };
  return { clients: 2_000, missed: 1_000, perSecond };
}

async function measure(peer: Peer, { clients, missed, perSecond }: Storm, patienceMs: number): Promise<Round[string]> {
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
    // What came meanwhile and what comes now must be whole, too.
    const after = await server.ask("publish", { events: AFTERWARDS, perSecond });
    const all = await load.ask("receive", "all", after.total, patienceMs);
    // Flock promises that nothing is missing. What a peer brings back is a finding.
    if (peer === "flock") for (const received of [caughtUp, all]) pair.assertWhole(received);
    return {
      seconds: caughtUp.complete ? seconds : null,
      cpuMicros: (cpuMs / caughtUp.deliveries) * 1_000,
      deliveries: caughtUp.deliveries,
      mistakes: all.mistakes,
      rssMB,
    };
  });
}
