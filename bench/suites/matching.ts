import { spentOn } from "../programs/spent.ts";
import { counted } from "../report/text.ts";
import { type Suite, workload } from "./suite.ts";

const FULL = { artifacts: 20_000, agents: [10, 1_000, 100_000] };

/** Measures publishes among many agents of which one is triggered. The `agents` suite covers waiting gates. */
export const suite: Suite = {
  name: "matching",
  about: "What does it cost to publish where there are many agents that do not want the artifact?",
  minutes: { full: 1.5, quick: 0.3 },
  workloads: [
    workload({
      name: "agents",
      loads: { full: FULL, quick: FULL, tiny: { artifacts: 1_000, agents: [10, 1_000] } },
      title: ({ artifacts }) => `${counted(artifacts)} artifacts of 200 characters, each for one agent, in memory`,
      rounds: 5,
      columns: ["artifacts"],
      comparisons: [
        {
          what: "cost of a publish, 100,000 agents to 10",
          of: [rowOf(10), "artifacts"],
          to: [rowOf(100_000), "artifacts"],
          target: { atMost: 1.3 },
        },
      ],
      rows: ({ artifacts, agents }) =>
        Object.fromEntries(
          agents.map((among) => [
            rowOf(among),
            async () => {
              const { cpuMs } = await spentOn("flock", { what: "matching", count: artifacts, among });
              return { artifacts: (artifacts / cpuMs) * 1_000 };
            },
          ]),
        ),
    }),
  ],
};

function rowOf(agents: number): string {
  return `${counted(agents)} agents`;
}
