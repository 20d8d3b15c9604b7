import type { Size } from "../report/report.ts";
import { measure } from "./publish.ts";
import { type Round, ratio, type Suite } from "./suite.ts";

const AGENTS: Readonly<Record<Size, readonly number[]>> = {
  full: [10, 1_000, 100_000],
  quick: [10, 1_000, 100_000],
  tiny: [10, 1_000],
};
const ARTIFACTS: Readonly<Record<Size, number>> = { full: 20_000, quick: 20_000, tiny: 1_000 };

const OPEN_KEYS: Readonly<Record<Size, readonly number[]>> = {
  full: [1_000, 10_000, 100_000],
  quick: [1_000, 100_000],
  tiny: [100, 1_000],
};

/** Publishing among many agents of which one is woken, and into a gate where many others wait. */
export const suite: Suite = {
  name: "matching",
  about:
    "What does it cost to publish where there are many agents that do not want the artifact, or many that wait in a gate?",
  minutes: { full: 3, quick: 0.6 },
  workloads: [
    {
      name: "agents",
      title: (size) =>
        `${ARTIFACTS[size].toLocaleString("en-US")} artifacts of 200 characters, each for one agent, in memory`,
      rounds: 5,
      columns: [{ key: "artifacts", title: "artifacts/CPU s", digits: 0 }],
      comparisons: [
        {
          what: "cost of a publish, 100,000 agents to 10",
          of: ratio("artifacts", rowOf(10), rowOf(100_000)),
          target: { atMost: 1.3 },
        },
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const agents of AGENTS[size]) {
          round[rowOf(agents)] = await measure("flock", "matching", ARTIFACTS[size], agents);
        }
        return round;
      },
    },
    {
      name: "keys",
      title: () => "artifacts of 200 characters that meet by their key in one gate, in memory",
      rounds: 5,
      columns: [{ key: "artifacts", title: "artifacts/CPU s", digits: 0 }],
      comparisons: [
        {
          what: "cost of a publish into a gate, 100,000 open keys to 1,000",
          of: ratio("artifacts", keysOf(1_000), keysOf(100_000)),
          target: { atMost: 1.3 },
        },
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const open of OPEN_KEYS[size])
          round[keysOf(open)] = await measure("flock", "joining", ARTIFACTS[size], open);
        return round;
      },
    },
  ],
};

function keysOf(open: number): string {
  return `${open.toLocaleString("en-US")} open keys`;
}

function rowOf(agents: number): string {
  return `${agents.toLocaleString("en-US")} agents`;
}
