import type { Peer, ServerOptions } from "../calls.ts";
import { between, Pair } from "../pair.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { type Comparison, type Suite, type Workload, workload } from "./suite.ts";

interface Source {
  readonly row: string;
  readonly peer: Peer;
  readonly options: Partial<ServerOptions>;
}

const SOCKET_IO: Source = { row: "socket.io", peer: "socket.io", options: { recovery: true } };
const SOURCES: readonly Source[] = [
  { row: "flock, from memory", peer: "flock", options: { separate: true } },
  // No log buffer, so that everything comes from the file.
  { row: "flock, from the file", peer: "flock", options: { separate: true, logBufferBytes: 0 } },
  SOCKET_IO,
];
/** Number of clients that resume together. */
const MANY_AT_ONCE = 100;
/** Time limit of every step, in ms. */
const PATIENCE_MS = 120_000;
/** Events before clients disconnect. */
const WARM_UP = 200;
/** Number of dry runs with other clients before the measurement, so that the code is compiled. */
const DRY_RUNS = 1;

/** Measures clients that resume after a disconnect. */
export const suite: Suite = {
  name: "resume",
  about: "What does it cost to replay missed events to a reconnecting client?",
  minutes: { full: 5, quick: 1.5 },
  workloads: [
    reconnecting(1_000, SOURCES, besideSocketIo()),
    reconnecting(10_000, SOURCES, besideSocketIo("CPU: 100 reconnect, 10,000 missed")),
    // More would take Socket.IO minutes.
    reconnecting(
      100_000,
      SOURCES.filter((source) => source !== SOCKET_IO),
      [],
    ),
  ],
};

function reconnecting(missed: number, sources: readonly Source[], comparisons: readonly Comparison[]): Workload {
  const full = { missed, atOnce: [1, MANY_AT_ONCE] };
  return workload({
    name: String(missed),
    loads: { full, quick: full, tiny: { missed: missed / 100, atOnce: [1, 5] } },
    title: (load) => `clients reconnect after ${counted(load.missed)} missed events`,
    columns: ["perSecond", "cpuPerEvent", "seconds", "rssMB"],
    comparisons,
    rows: (load) =>
      Object.fromEntries(
        sources.flatMap((source) =>
          load.atOnce.map((clients) => [rowOf(source.row, clients), () => measure(source, load.missed, clients)]),
        ),
      ),
  });
}

function besideSocketIo(chart?: string): Comparison[] {
  return ["from memory", "from the file"].map((where, i) => ({
    what: `server CPU time for an event, ${MANY_AT_ONCE} clients at once, Flock ${where} to socket.io`,
    of: [rowOf(`flock, ${where}`, MANY_AT_ONCE), "cpuPerEvent"],
    to: [rowOf("socket.io", MANY_AT_ONCE), "cpuPerEvent"],
    ...(chart !== undefined && i === 0 ? { chart } : {}),
  }));
}

function rowOf(source: string, clients: number): string {
  return `${source}, ${clients} at once`;
}

async function measure({ peer, options }: Source, missed: number, clients: number): Promise<Figures> {
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
        cpuPerEvent: (cpuMs / received.deliveries) * 1_000,
        seconds,
        rssMB,
      };
    };
    for (let i = 0; i < DRY_RUNS; i++) await leaveAndComeBack(`dry run ${i}`);
    return leaveAndComeBack("measured");
  });
}
