import { setTimeout as pause } from "node:timers/promises";
import type { Greed, LoadCalls } from "../calls.ts";
import { start } from "../child.ts";
import { Pair } from "../pair.ts";
import type { Size } from "../report/report.ts";
import { type Comparison, type Round, ratio, type Suite } from "./suite.ts";

interface Load {
  readonly clients: number;
  /** How many events the log holds already. */
  readonly log: number;
  readonly perSecond: number;
  /** How long latency is measured, and then how fast the agent can be. */
  readonly seconds: number;
}

const LOADS: Readonly<Record<Size, Load>> = {
  full: { clients: 20, log: 50_000, perSecond: 200, seconds: 10 },
  quick: { clients: 20, log: 50_000, perSecond: 200, seconds: 4 },
  tiny: { clients: 3, log: 500, perSecond: 100, seconds: 0.3 },
};
/** How long everybody may take to get everything, in ms. */
const PATIENCE_MS = 60_000;
/** How long somebody is greedy before anything is measured, in ms: what may come at once, after silence, is over then. */
const GREEDY_FOR_MS: Readonly<Record<Size, number>> = { full: 2_000, quick: 2_000, tiny: 200 };

const ROWS: Readonly<Record<string, Greed | undefined>> = {
  "nobody is greedy": undefined,
  "one floods commands": "commands",
  "one replays all again and again": "replays",
};

/** A client that wants more than its share. */
export const suite: Suite = {
  name: "fairness",
  about:
    "One client floods the server with commands, or asks for the whole log again and again: what do others notice?",
  minutes: { full: 4, quick: 0.7 },
  workloads: [
    {
      name: "greed",
      title: (size) => {
        const { clients, log, perSecond } = LOADS[size];
        return `${clients} healthy clients, ${perSecond} events a second, a log of ${log.toLocaleString("en-US")} events; then as many events as the agent can`;
      },
      rounds: 3,
      columns: [
        { key: "p50Ms", title: "healthy p50 ms", digits: 2 },
        { key: "p99Ms", title: "healthy p99 ms", digits: 2 },
        { key: "agentPerSecond", title: "agent's events/s", digits: 0 },
        { key: "cpuPercent", title: "% of a CPU", digits: 0 },
        { key: "sentKBPerSecond", title: "greedy sends kB/s", digits: 0 },
        { key: "receivedKBPerSecond", title: "greedy gets kB/s", digits: 0 },
      ],
      comparisons: Object.keys(ROWS)
        .slice(1)
        .flatMap((row): Comparison[] => [
          { what: `p99 latency of healthy clients, ${row}`, of: ratio("p99Ms", row, "nobody is greedy") },
          {
            what: `what the agent publishes in a second, ${row}`,
            of: ratio("agentPerSecond", row, "nobody is greedy"),
          },
        ]),
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const [row, greed] of Object.entries(ROWS)) round[row] = await measure(greed, size);
        return round;
      },
    },
  ],
};

async function measure(greed: Greed | undefined, size: Size): Promise<Round[string]> {
  const { clients, log, perSecond, seconds } = LOADS[size];
  // A process of its own: nobody's latency shall suffer from how busy the greedy one is.
  const greedy = start<LoadCalls>("load/main.ts");
  try {
    // An agent that is as fast as it can be leaves clients so far behind that they read from the file.
    return await Pair.with("flock", { separate: true }, async (pair) => {
      const { server, load } = pair;
      await server.ask("publish", { events: log, perSecond: null });
      await pair.join("healthy", clients, log);
      if (greed) await greedy.ask("beGreedy", pair.port, greed);
      await pause(GREEDY_FOR_MS[size]);
      const greedySince = performance.now();
      const usedBefore = await server.ask("measure", "never");

      await load.ask("begin", "healthy");
      const paced = await server.ask("publish", { events: perSecond * seconds, perSecond });
      const received = await load.ask("receive", "healthy", paced.total, PATIENCE_MS);
      pair.assertWhole(received);
      const used = await server.ask("measure", "never");
      const lasted = performance.now() - greedySince;

      const stop = pause(seconds * 1_000).then(() => server.ask("stop"));
      const fast = await server.ask("publish", { events: Number.MAX_SAFE_INTEGER, perSecond: null });
      await stop;
      pair.assertWhole(await load.ask("receive", "healthy", fast.total, PATIENCE_MS));
      const got = greed ? await greedy.ask("endGreed") : undefined;
      const kBPerSecond = (bytes: number) => bytes / (performance.now() - greedySince + GREEDY_FOR_MS[size]);
      return {
        p50Ms: received.p50Ms,
        p99Ms: received.p99Ms,
        agentPerSecond: (fast.events / fast.elapsedMs) * 1_000,
        cpuPercent: ((used.cpuMs - usedBefore.cpuMs) / lasted) * 100,
        sentKBPerSecond: got ? kBPerSecond(got.sentBytes) : null,
        receivedKBPerSecond: got ? kBPerSecond(got.receivedBytes) : null,
      };
    });
  } finally {
    await greedy.end();
  }
}
