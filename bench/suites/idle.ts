import { PEERS, type Peer, type Used } from "../calls.ts";
import { Pair } from "../pair.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { flockTo, rowsOf, type Suite, workload } from "./suite.ts";

interface Load {
  readonly connections: number;
  /** So often everybody is asked for a sign of life, in ms. */
  readonly heartbeatMs: number;
}

const FULL: Load = { connections: 10_000, heartbeatMs: 2_000 };
/** What is compared with: the first connections bring up what all share. */
const FEW = 10;
/** So many heartbeats pass before anything is read. */
const BEATS = 4;
/** Files that a process holds besides its connections. */
const OTHER_FILES = 100;

/** Many connections on which nothing happens. */
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

/** As many connections as asked for, or as one process may hold open. */
function possible(connections: number): number {
  return Math.min(connections, openFilesLimit() - OTHER_FILES);
}

function openFilesLimit(): number {
  // Node raises the soft limit to the hard one when it starts.
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
    // Nothing was published. This only finds out whether everybody is still there.
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

/** What a server uses when some heartbeats have gone by. */
async function settled(pair: Pair, heartbeatMs: number): Promise<Used & { readonly cpuPercent: number }> {
  const before = await pair.server.ask("measure", "to the last");
  const ms = BEATS * heartbeatMs;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { cpuMs } = await pair.server.ask("measure", "never");
  const used = await pair.server.ask("measure", "to the last");
  return { ...used, cpuPercent: ((cpuMs - before.cpuMs) / ms) * 100 };
}
