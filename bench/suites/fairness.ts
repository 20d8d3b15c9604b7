import { setTimeout as pause } from "node:timers/promises";
import type { Greed, LoadCalls } from "../calls.ts";
import { start } from "../child.ts";
import { Pair } from "../pair.ts";
import { counted } from "../report/text.ts";
import type { Figure, Figures } from "./figures.ts";
import { type Comparison, type Suite, workload } from "./suite.ts";

interface Load {
  readonly clients: number;
  /** Number of events already in the log. */
  readonly log: number;
  readonly perSecond: number;
  /** Duration of the latency measurement, and then of the throughput measurement. */
  readonly seconds: number;
  /** Duration of excessive requests before that, in ms, until the initial burst allowance is used up. */
  readonly greedyForMs: number;
}

const FULL: Load = { clients: 20, log: 50_000, perSecond: 200, seconds: 10, greedyForMs: 2_000 };
/** Time limit for all events, in ms. */
const PATIENCE_MS = 60_000;

const BASELINE = "no greedy client";
const ROWS: Readonly<Record<string, Greed | undefined>> = {
  [BASELINE]: undefined,
  "one floods commands": "commands",
  "one replays all again and again": "replays",
};

/** One client that requests more than its share. */
export const suite: Suite = {
  name: "fairness",
  about:
    "One client floods the server with commands, or asks for the whole log again and again: what do others notice?",
  minutes: { full: 4, quick: 0.7 },
  workloads: [
    workload({
      name: "greed",
      loads: {
        full: FULL,
        quick: { ...FULL, seconds: 4 },
        tiny: { clients: 3, log: 500, perSecond: 100, seconds: 0.3, greedyForMs: 200 },
      },
      title: ({ clients, log, perSecond }) =>
        `${clients} healthy clients, ${perSecond} events a second, a log of ${counted(log)} events; then as many events as the agent can`,
      columns: [
        "healthyP50Ms",
        "healthyP99Ms",
        "agentPerSecond",
        "cpuPercent",
        "sentKBPerSecond",
        "receivedKBPerSecond",
      ],
      comparisons: Object.keys(ROWS)
        .slice(1)
        .flatMap((row) => [
          toBaseline("p99 latency of healthy clients", row, "healthyP99Ms"),
          toBaseline("what the agent publishes in a second", row, "agentPerSecond"),
        ]),
      rows: (load) => Object.fromEntries(Object.entries(ROWS).map(([row, greed]) => [row, () => measure(greed, load)])),
    }),
  ],
};

function toBaseline(what: string, row: string, figure: Figure): Comparison {
  return { what: `${what}, ${row}`, of: [row, figure], to: [BASELINE, figure] };
}

async function measure(greed: Greed | undefined, load: Load): Promise<Figures> {
  const { clients, log, perSecond, seconds, greedyForMs } = load;
  // A separate process, so that the greedy client does not add to the others' latency.
  const greedy = start<LoadCalls>("load/main.ts");
  try {
    // An agent at full speed leaves clients so far behind that they read from the file.
    return await Pair.with("flock", { separate: true }, async (pair) => {
      const { server, load } = pair;
      await server.ask("publish", { events: log, perSecond: null });
      await pair.join("healthy", clients, log);
      if (greed) await greedy.ask("beGreedy", pair.port, greed);
      await pause(greedyForMs);
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
      const kBPerSecond = (bytes: number) => bytes / (performance.now() - greedySince + greedyForMs);
      return {
        healthyP50Ms: received.p50Ms,
        healthyP99Ms: received.p99Ms,
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
