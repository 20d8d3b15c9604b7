import { PEERS, type Peer, type Used } from "../calls.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Round, ratio, type Suite } from "./suite.ts";

const CONNECTIONS: Readonly<Record<Size, number>> = { full: 10_000, quick: 10_000, tiny: 40 };
/** What is compared with: the first ones bring up what all share. */
const FEW = 10;
/** So often everybody is asked for a sign of life, in ms; and so many of these pass before anything is read. */
const HEARTBEAT_MS: Readonly<Record<Size, number>> = { full: 2_000, quick: 2_000, tiny: 50 };
const BEATS = 4;
/** Files that a process holds besides its connections. */
const OTHER_FILES = 100;

/** Many connections on which nothing happens. */
export const suite: Suite = {
  name: "idle",
  about: "What does a connection cost on which nothing happens but the heartbeat?",
  minutes: { full: 4, quick: 1.5 },
  workloads: [
    {
      name: "connections",
      title: (size) =>
        `${connectionsOf(size).toLocaleString("en-US")} connections, a heartbeat every ${HEARTBEAT_MS[size] / 1_000} s` +
        (connectionsOf(size) < CONNECTIONS[size] ? " (this machine allows no more open files)" : ""),
      rounds: 3,
      columns: [
        { key: "kiB", title: "RSS KiB/connection", digits: 2 },
        { key: "rssMB", title: "RSS MB", digits: 0 },
        { key: "timersFew", title: `timers with ${FEW}`, digits: 0 },
        { key: "timersMany", title: "timers with all", digits: 0 },
        { key: "cpuPercent", title: "% of a CPU", digits: 1 },
      ],
      comparisons: [
        {
          what: "KiB of server memory for a connection of Flock",
          of: (round) => round.flock?.kiB ?? undefined,
          target: { atMost: 8 },
        },
        {
          what: "timers that Flock has more with all connections",
          of: (round) => (round.flock?.timersMany ?? 0) - (round.flock?.timersFew ?? 0),
          target: { atMost: 0 },
        },
        {
          what: "memory for a connection, Flock to ws",
          of: ratio("kiB", "flock", "ws"),
          chart: { label: "memory: an idle connection", peer: "ws", isCost: true },
        },
        {
          what: "memory for a connection, Flock to socket.io",
          of: ratio("kiB", "flock", "socket.io"),
          chart: { label: "memory: an idle connection", peer: "socket.io", isCost: true },
        },
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const peer of PEERS) round[peer] = await measure(peer, size);
        return round;
      },
    },
  ],
};

/** As many as asked for, or as one process may hold open. */
function connectionsOf(size: Size): number {
  return Math.min(CONNECTIONS[size], openFilesLimit() - OTHER_FILES);
}

function openFilesLimit(): number {
  // Node raises the soft limit to the hard one when it starts.
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard: number | string } } };
  const hard = Number(userLimits?.open_files?.hard ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(hard) ? Number.POSITIVE_INFINITY : hard;
}

async function measure(peer: Peer, size: Size): Promise<Round[string]> {
  const heartbeatMs = HEARTBEAT_MS[size];
  return Pair.with(peer, { heartbeatMs }, async (pair) => {
    await pair.join("few", FEW);
    const few = await settled(pair, heartbeatMs);
    const many = connectionsOf(size) - FEW;
    await pair.join("many", many);
    const all = await settled(pair, heartbeatMs);
    // Nothing was published. This only finds out whether everybody is still there.
    pair.assertWhole(await pair.load.ask("receive", "many", 0, 0));
    return {
      kiB: ((all.rssMB - few.rssMB) * 1_024) / many,
      rssMB: all.rssMB,
      timersFew: few.timers,
      timersMany: all.timers,
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
