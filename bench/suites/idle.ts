import { PEERS, type Peer, type Used } from "../calls.ts";
import { Pair } from "../pair.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { flockTo, rowsOf, type Suite, workload } from "./suite.ts";

interface Load {
  readonly connections: number;
  /** Heartbeat interval, in ms. */
  readonly heartbeatMs: number;
}

const FULL: Load = { connections: 10_000, heartbeatMs: 2_000 };
/** Number of connections of the baseline, which includes shared initialization. */
const FEW = 10;
/** Heartbeats before the measurement. */
const BEATS = 4;
/** Open files of a process besides its connections. */
const OTHER_FILES = 100;

/** Measures many idle connections. */
export const suite: Suite = {
  name: "idle",
  about: "What does a connection cost on which nothing happens but the heartbeat?",
  minutes: { full: 4, quick: 1.5 },
  workloads: [
    workload({
      name: "connections",
      loads: { full: FULL, quick: FULL, tiny: { connections: 40, heartbeatMs: 50 } },
      title: ({ connections, heartbeatMs }) =>
        `${counted(possible(connections))} connections, a heartbeat every ${heartbeatMs / 1_000} s; few are ${FEW}` +
        (possible(connections) < connections ? " (this machine allows no more open files)" : ""),
      columns: ["kiB", "rssMB", "timers", "moreTimers", "cpuPercent"],
      comparisons: [
        { what: "KiB of server memory for a connection of Flock", of: ["flock", "kiB"], target: { atMost: 8 } },
        {
          what: "timers that Flock has more with all connections",
          of: ["flock", "moreTimers"],
          target: { atMost: 0 },
        },
        ...["ws", "socket.io"].map((peer) =>
          flockTo(peer, "memory for a connection", "kiB", { chart: "memory: an idle connection" }),
        ),
      ],
      rows: (load) => rowsOf(PEERS, (peer) => measure(peer, load)),
    }),
  ],
};

/** Returns the requested number of connections, limited by open files per process. */
function possible(connections: number): number {
  return Math.min(connections, openFilesLimit() - OTHER_FILES);
}

function openFilesLimit(): number {
  // Node raises the soft limit to the hard limit at startup.
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard: number | string } } };
  const hard = Number(userLimits?.open_files?.hard ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(hard) ? Number.POSITIVE_INFINITY : hard;
}

async function measure(peer: Peer, { connections, heartbeatMs }: Load): Promise<Figures> {
  return Pair.with(peer, { heartbeatMs }, async (pair) => {
    await pair.join("few", FEW);
    const few = await settled(pair, heartbeatMs);
    const many = possible(connections) - FEW;
    await pair.join("many", many);
    const all = await settled(pair, heartbeatMs);
    // Nothing was published: this only checks that all clients are still connected.
    pair.assertWhole(await pair.load.ask("receive", "many", 0, 0));
    return {
      kiB: ((all.rssMB - few.rssMB) * 1_024) / many,
      rssMB: all.rssMB,
      timers: all.timers,
      moreTimers: all.timers - few.timers,
      cpuPercent: all.cpuPercent,
    };
  });
}

/** Returns a server's usage after some heartbeats. */
async function settled(pair: Pair, heartbeatMs: number): Promise<Used & { readonly cpuPercent: number }> {
  const before = await pair.server.ask("measure", "to the last");
  const ms = BEATS * heartbeatMs;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { cpuMs } = await pair.server.ask("measure", "never");
  const used = await pair.server.ask("measure", "to the last");
  return { ...used, cpuPercent: ((cpuMs - before.cpuMs) / ms) * 100 };
}
