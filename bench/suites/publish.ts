import { start } from "../child.ts";
import type { PublisherCalls } from "../publishers/publisher.ts";
import type { Size } from "../report/report.ts";
import { type Round, ratio, type Suite } from "./suite.ts";

/** Each row: who publishes, and what it calls that. */
const ROWS = {
  "bare table": ["sqlite", "bare table"],
  "same rows": ["sqlite", "same rows"],
  "Flock, memory": ["flock", "memory"],
  "Flock, SQLite normal": ["flock", "sqlite normal"],
  "Flock, SQLite full": ["flock", "sqlite full"],
} as const;

const ARTIFACTS: Readonly<Record<Size, number>> = { full: 20_000, quick: 4_000, tiny: 200 };

/** Artifacts through one trivial agent. */
export const suite: Suite = {
  name: "publish",
  about: "What does an artifact cost on its way through an agent, and what of it is the file?",
  minutes: { full: 1.5, quick: 0.2 },
  workloads: [
    {
      name: "echo",
      title: (size) => `${ARTIFACTS[size].toLocaleString("en-US")} artifacts of 200 characters through one agent`,
      rounds: 5,
      columns: [
        { key: "artifacts", title: "artifacts/CPU s", digits: 0 },
        { key: "rows", title: "rows/CPU s", digits: 0 },
      ],
      comparisons: [
        {
          what: "artifacts per CPU second, SQLite normal to inserts into a bare table",
          of: ratio("artifacts", "Flock, SQLite normal", "bare table"),
          target: { atLeast: 0.4 },
        },
        {
          what: "artifacts per CPU second, SQLite normal to inserts of the same rows",
          of: ratio("artifacts", "Flock, SQLite normal", "same rows"),
        },
        {
          what: "artifacts per CPU second, memory to SQLite normal",
          of: ratio("artifacts", "Flock, memory", "Flock, SQLite normal"),
          target: { atLeast: 5 },
        },
      ],
      round: async (size) => {
        const round: Record<string, Round[string]> = {};
        for (const [row, [publisher, what]] of Object.entries(ROWS)) {
          round[row] = await measure(publisher, what, ARTIFACTS[size]);
        }
        return round;
      },
    },
  ],
};

/** One measurement in a process of its own. */
export async function measure(
  publisher: "flock" | "sqlite",
  what: string,
  artifacts: number,
  others?: number,
): Promise<Round[string]> {
  const child = start<PublisherCalls>(`publishers/${publisher}.ts`);
  try {
    const { artifactsPerCpuSecond, rowsPerCpuSecond } = await child.ask("measure", what, artifacts, others);
    return { artifacts: artifactsPerCpuSecond, rows: rowsPerCpuSecond };
  } finally {
    await child.end();
  }
}
