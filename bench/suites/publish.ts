import { ROWS_PER_ARTIFACT } from "../programs/program.ts";
import { spentOn } from "../programs/spent.ts";
import { counted } from "../report/text.ts";
import { type Cell, type Suite, workload } from "./suite.ts";

/** Rows by name: the program and its task. */
const ROWS = {
  "bare table": ["sqlite", "bare table"],
  "same rows": ["sqlite", "same rows"],
  "Flock, memory": ["flock", "publish, memory"],
  "Flock, SQLite normal": ["flock", "publish, sqlite normal"],
  "Flock, SQLite full": ["flock", "publish, sqlite full"],
} as const;

const NORMAL: Cell = ["Flock, SQLite normal", "artifacts"];

/** Publishes artifacts through one trivial agent. */
export const suite: Suite = {
  name: "publish",
  about: "What does an artifact cost on its way through an agent, and what of it is the file?",
  minutes: { full: 1.5, quick: 0.2 },
  workloads: [
    workload({
      name: "echo",
      loads: { full: 20_000, quick: 4_000, tiny: 200 },
      title: (artifacts) => `${counted(artifacts)} artifacts of 200 characters through one agent`,
      rounds: 5,
      columns: ["artifacts", "rows"],
      comparisons: [
        {
          what: "artifacts per CPU second, SQLite normal to inserts into a bare table",
          of: NORMAL,
          to: ["bare table", "artifacts"],
          target: { atLeast: 0.4 },
        },
        {
          what: "artifacts per CPU second, SQLite normal to inserts of the same rows",
          of: NORMAL,
          to: ["same rows", "artifacts"],
        },
        {
          what: "artifacts per CPU second, memory to SQLite normal",
          of: ["Flock, memory", "artifacts"],
          to: NORMAL,
          target: { atLeast: 5 },
        },
      ],
      rows: (count) =>
        Object.fromEntries(
          Object.entries(ROWS).map(([row, [program, what]]) => [
            row,
            async () => {
              const { cpuMs } = await spentOn(program, { what, count });
              const artifacts = (count / cpuMs) * 1_000;
              return { artifacts, rows: artifacts * ROWS_PER_ARTIFACT };
            },
          ]),
        ),
    }),
  ],
};
