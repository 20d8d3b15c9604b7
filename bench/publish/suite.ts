import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "../fanout/statistics.ts";

/** What one process has measured, per CPU second of it. */
export interface Measured {
  readonly artifactsPerCpuSecond: number;
  readonly rowsPerCpuSecond: number;
}

interface Row {
  readonly name: string;
  readonly unit: "artifacts" | "rows";
  readonly perCpuSecond: number;
  readonly least: number;
  readonly most: number;
}

const measure = fileURLToPath(new URL("measure.ts", import.meta.url));

/** Artifacts through one trivial agent, beside bare inserts; and what it costs to publish among many agents. */
export async function run({ quick }: { readonly quick: boolean }) {
  const rounds = quick ? 1 : 5;
  const size = quick ? 2_000 : 20_000;
  const rows = await measureAll(
    [
      { name: "bare node:sqlite, groups of 100", what: "bare", amount: size, unit: "rows" },
      { name: "Flock, memory", what: "memory", amount: size, unit: "rows" },
      { name: "Flock, SQLite normal", what: "sqlite", amount: size, unit: "rows" },
      { name: "Flock, SQLite full", what: "sqlite-full", amount: size, unit: "rows" },
      { name: "10 agents", what: "matching", amount: 10, unit: "artifacts" },
      { name: "1,000 agents", what: "matching", amount: 1_000, unit: "artifacts" },
      { name: "100,000 agents", what: "matching", amount: 100_000, unit: "artifacts" },
    ],
    rounds,
  );
  const of = (name: string) => rows.find((row) => row.name === name)?.perCpuSecond as number;
  const ratios = [
    ["SQLite normal to bare inserts (0.4 asked)", of("Flock, SQLite normal") / of("bare node:sqlite, groups of 100")],
    ["memory to SQLite normal (5 asked)", of("Flock, memory") / of("Flock, SQLite normal")],
    ["publish with 100,000 agents to 10 (cost; at most 1.3 asked)", of("10 agents") / of("100,000 agents")],
  ] as const;
  console.log(`publish: ${rounds} rounds, medians (least to most), per CPU second of the process`);
  console.table(
    Object.fromEntries(
      rows.map(({ name, unit, perCpuSecond, least, most }) => [
        name,
        { "per CPU s": `${thousands(perCpuSecond)} ${unit}`, spread: `${thousands(least)} to ${thousands(most)}` },
      ]),
    ),
  );
  for (const [what, ratio] of ratios) console.log(`${what}: ${ratio.toFixed(2)}`);
  return { rounds, node: process.version, rows, ratios: Object.fromEntries(ratios) };
}

async function measureAll(
  wanted: readonly { name: string; what: string; amount: number; unit: Row["unit"] }[],
  rounds: number,
): Promise<Row[]> {
  const values = wanted.map((): number[] => []);
  // Round by round, so that a busy minute of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const [i, { what, amount, unit }] of wanted.entries()) {
      const { stdout } = await promisify(execFile)(process.execPath, [measure, what, String(amount)]);
      const measured = JSON.parse(stdout) as Measured;
      values[i]?.push(unit === "rows" ? measured.rowsPerCpuSecond : measured.artifactsPerCpuSecond);
    }
  }
  return wanted.map(({ name, unit }, i) => {
    const all = values[i] as number[];
    return { name, unit, perCpuSecond: median(all), least: Math.min(...all), most: Math.max(...all) };
  });
}

function thousands(value: number): string {
  return `${Math.round(value / 1_000)} k`;
}
