import { thisMachine } from "../report/machine.ts";
import {
  type Bar,
  type Column,
  isReached,
  type Ratio,
  type Report,
  type Size,
  type Target,
  type WorkloadReport,
} from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";

/** What was measured in one round: by row, then by column. A row may lack a column, and a round a row. */
export type Round = Readonly<Record<string, Readonly<Record<string, number | null>>>>;

/** A figure of a round against another one. */
export interface Comparison {
  readonly what: string;
  /** Undefined when the round lacks one of the two. */
  readonly of: (round: Round) => number | undefined;
  readonly target?: Target;
  readonly chart?: Bar;
}

/** One thing to measure, in rounds that can be compared with each other. */
export interface Workload {
  readonly name: string;
  readonly title: (size: Size) => string;
  /** How many rounds a full run has. */
  readonly rounds: number;
  readonly columns: readonly Column[];
  readonly comparisons: readonly Comparison[];
  /**
   * Measures every row once, one after another: what else the machine does then concerns all alike.
   * @throws Error when a server has lost an event.
   */
  readonly round: (size: Size) => Promise<Round>;
}

/** Workloads that answer one question. */
export interface Suite {
  readonly name: string;
  /** The question. */
  readonly about: string;
  /** How long a run takes, in minutes. */
  readonly minutes: { readonly full: number; readonly quick: number };
  readonly workloads: readonly Workload[];
}

/** Runs a suite, or one workload of it. `show` is given each workload's report as soon as there is one. */
export async function run(
  { name, about, workloads }: Suite,
  size: Size,
  only?: string,
  show: (report: WorkloadReport) => void = () => {},
): Promise<Report> {
  const chosen = workloads.filter((workload) => only === undefined || workload.name === only);
  if (chosen.length === 0) {
    const names = workloads.map((workload) => workload.name).join(", ");
    throw new Error(`the suite ${name} has no workload ${only}: there are ${names}`);
  }
  const machine = thisMachine();
  const started = performance.now();
  const reports: WorkloadReport[] = [];
  for (const workload of chosen) {
    const rounds: Round[] = [];
    for (let i = 0; i < (size === "full" ? workload.rounds : 1); i++) rounds.push(await workload.round(size));
    const report = reportOf(workload, size, rounds);
    reports.push(report);
    show(report);
  }
  const seconds = Math.round((performance.now() - started) / 1_000);
  return { suite: name, about, machine, size, seconds, workloads: reports };
}

function reportOf(
  { name, title, columns, comparisons }: Workload,
  size: Size,
  rounds: readonly Round[],
): WorkloadReport {
  const rows = [...new Set(rounds.flatMap((round) => Object.keys(round)))].map((row) => ({
    name: row,
    figures: Object.fromEntries(
      columns.flatMap(({ key }): [string, Spread][] => {
        const values = rounds.flatMap((round) => round[row]?.[key] ?? []);
        return values.length === 0 ? [] : [[key, spreadOf(values)]];
      }),
    ),
  }));
  const ratios = comparisons.flatMap(({ what, of, target, chart }): Ratio[] => {
    const values = rounds.flatMap((round) => of(round) ?? []);
    if (values.length === 0) return [];
    const ratio = spreadOf(values);
    return [
      {
        what,
        ratio,
        ...(target ? { target, reached: isReached(ratio.median, target) } : {}),
        ...(chart ? { chart } : {}),
      },
    ];
  });
  return { name, title: title(size), rounds: rounds.length, columns, rows, ratios };
}

/** One row's figure to another's: `[row, to]` in `column`. Undefined where one of them is missing. */
export function ratio(column: string, row: string, to: string): (round: Round) => number | undefined {
  return (round) => {
    const [upper, lower] = [round[row]?.[column], round[to]?.[column]];
    return typeof upper === "number" && typeof lower === "number" && lower !== 0 ? upper / lower : undefined;
  };
}
