import type { Peer, ServerOptions } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Round, ratio, type Suite, type Workload } from "./suite.ts";

interface Source {
  readonly row: string;
  readonly peer: Peer;
  readonly options: Partial<ServerOptions>;
  /** More than this takes the peer minutes. */
  readonly mostMissed: number;
}

const SOURCES: readonly Source[] = [
  { row: "flock, from memory", peer: "flock", options: { separate: true }, mostMissed: Number.POSITIVE_INFINITY },
  // So little memory that all of it comes from the file.
  {
    row: "flock, from the file",
    peer: "flock",
    options: { separate: true, tailBytes: 0 },
    mostMissed: Number.POSITIVE_INFINITY,
  },
  { row: "socket.io", peer: "socket.io", options: { recovery: true }, mostMissed: 10_000 },
];
const AT_ONCE: Readonly<Record<Size, readonly number[]>> = { full: [1, 100], quick: [1, 100], tiny: [1, 5] };
/** Longer than anything takes, in ms. */
const PATIENCE_MS = 120_000;
/** Events before clients leave. */
const WARM_UP = 200;
/** The whole is done so often before it is measured, by other clients: the code is compiled then. */
const REHEARSALS = 1;

/** Clients that come back after a while. */
export const suite: Suite = {
  name: "resume",
  about: "What does it cost to bring a client up to date that was away?",
  minutes: { full: 5, quick: 1.5 },
  workloads: [workload(1_000), workload(10_000), workload(100_000)],
};

function workload(missed: number): Workload {
  const missedIn = (size: Size) => (size === "tiny" ? missed / 100 : missed);
  return {
    name: String(missed),
    title: (size) => `clients come back after ${missedIn(size).toLocaleString("en-US")} events`,
    rounds: 3,
    columns: [
      { key: "perSecond", title: "deliveries/s", digits: 0 },
      { key: "cpuMicros", title: "server CPU µs/event", digits: 2 },
      { key: "seconds", title: "s until all have all", digits: 2 },
      { key: "rssMB", title: "RSS MB", digits: 0 },
    ],
    comparisons: [
      {
        what: "server CPU time for an event, 100 clients at once, Flock from memory to socket.io",
        of: ratio("cpuMicros", rowOf("flock, from memory", 100), rowOf("socket.io", 100)),
        ...(missed === 10_000
          ? { chart: { label: "CPU: 100 come back, 10,000 missed", peer: "socket.io" as const, isCost: true } }
          : {}),
      },
      {
        what: "server CPU time for an event, 100 clients at once, Flock from the file to socket.io",
        of: ratio("cpuMicros", rowOf("flock, from the file", 100), rowOf("socket.io", 100)),
      },
    ],
    round: async (size) => {
      const round: Record<string, Round[string]> = {};
      for (const source of SOURCES) {
        if (missed > source.mostMissed) continue;
        for (const clients of AT_ONCE[size]) {
          round[rowOf(source.row, clients)] = await measure(source, missedIn(size), clients);
        }
      }
      return round;
    },
  };
}

function rowOf(source: string, clients: number): string {
  return `${source}, ${clients} at once`;
}

async function measure({ peer, options }: Source, missed: number, clients: number): Promise<Round[string]> {
  return Pair.with(peer, options, async (pair) => {
    const { server, load } = pair;
    let total = 0;
    const leaveAndComeBack = async (crowd: string) => {
      await pair.join(crowd, clients, total);
      const known = await server.ask("publish", { events: WARM_UP, perSecond: null });
      pair.assertWhole(await load.ask("receive", crowd, known.total, PATIENCE_MS));
      await load.ask("drop", crowd);
      ({ total } = await server.ask("publish", { events: missed, perSecond: null }));
      await load.ask("begin", crowd);
      const before = await server.ask("measure", "once");
      const started = performance.now();
      await load.ask("comeBack", crowd);
      const received = await load.ask("receive", crowd, total, PATIENCE_MS);
      const seconds = (performance.now() - started) / 1_000;
      const { cpuMs, rssMB } = between(before, await server.ask("measure", "never"));
      pair.assertWhole(received);
      await load.ask("drop", crowd);
      return {
        perSecond: received.deliveries / seconds,
        cpuMicros: (cpuMs / received.deliveries) * 1_000,
        seconds,
        rssMB,
      };
    };
    for (let i = 0; i < REHEARSALS; i++) await leaveAndComeBack(`rehearsal ${i}`);
    return leaveAndComeBack("measured");
  });
}
