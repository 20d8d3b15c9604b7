import { thisMachine } from "../report/machine.ts";
import {
  type Bar,
  CHARTED,
  isReached,
  type Ratio,
  type Report,
  type Row,
  type Size,
  type Target,
  type WorkloadReport,
} from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { columnOf, type Figure, type Figures, isCost } from "./figures.ts";

/** What was measured in one round, by row. A round may lack a row. */
type Round = Readonly<Record<string, Figures>>;

/** How each row is measured, in their order. The name of a row begins with whom it is about. */
export type Rows = Readonly<Record<string, () => Promise<Figures>>>;

/** One figure of a round. */
export type Cell = readonly [row: string, figure: Figure];

/** A figure of a round to another one of it, or one by itself. */
export interface Comparison {
  readonly what: string;
  readonly of: Cell;
  readonly to?: Cell;
  readonly target?: Target;
  /** Its bar in the chart, for the peer that it is compared `to`. */
  readonly chart?: string;
}

/** One thing to measure: a table, made in rounds that can be compared with each other. */
export interface Table<Load> {
  readonly name: string;
  /** How much is measured. */
  readonly loads: Readonly<Record<Size, Load>>;
  readonly title: (load: Load) => string;
  /** How many rounds a full run has. Default 3. */
  readonly rounds?: number;
  readonly columns: readonly Figure[];
  readonly comparisons: readonly Comparison[];
  /**
   * A round measures every row once, one after another: what else the machine does then concerns all alike.
   * A row fails when a server has lost an event, or when not all that was to be done has been.
   */
  readonly rows: (load: Load) => Rows;
}

/** A {@link Table} for whoever does not know what its load is. */
export interface Workload extends Omit<Table<never>, "loads" | "title" | "rows"> {
  readonly title: (size: Size) => string;
  readonly rows: (size: Size) => Rows;
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

const ROUNDS = 3;

export function workload<Load>({ loads, title, rows, ...table }: Table<Load>): Workload {
  return { ...table, title: (size) => title(loads[size]), rows: (size) => rows(loads[size]) };
}

/** A row for each of some names. */
export function rowsOf<Name extends string>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Figures>,
): Record<string, () => Promise<Figures>> {
  return Object.fromEntries(names.map((name) => [name, () => measure(name)]));
}

/** A figure of Flock to that of a peer; `rowOf` says which rows these are, if they are not called as the two. */
export function flockTo(
  peer: string,
  what: string,
  figure: Figure,
  more: Pick<Comparison, "target" | "chart"> = {},
  rowOf: (who: string) => string = (who) => who,
): Comparison {
  return { what: `${what}, Flock to ${peer}`, of: [rowOf("flock"), figure], to: [rowOf(peer), figure], ...more };
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
    for (let i = 0; i < (size === "full" ? (workload.rounds ?? ROUNDS) : 1); i++)
      rounds.push(await roundOf(workload.rows(size)));
    const report = reportOf(workload, size, rounds);
    reports.push(report);
    show(report);
  }
  const seconds = Math.round((performance.now() - started) / 1_000);
  return { suite: name, about, machine, size, seconds, workloads: reports };
}

async function roundOf(rows: Rows): Promise<Round> {
  const round: Record<string, Figures> = {};
  for (const [row, measure] of Object.entries(rows)) round[row] = await measure();
  return round;
}

function reportOf(workload: Workload, size: Size, rounds: readonly Round[]): WorkloadReport {
  const { name, columns } = workload;
  const rows = Object.keys(workload.rows(size)).map((row): Row => {
    const figures = columns.flatMap((figure): [string, Spread][] => {
      const values = rounds.flatMap((round) => round[row]?.[figure] ?? []);
      return values.length === 0 ? [] : [[figure, spreadOf(values)]];
    });
    return { name: row, figures: Object.fromEntries(figures) };
  });
  const ratios = workload.comparisons.flatMap((comparison) => ratioOf(comparison, rounds));
  return { name, title: workload.title(size), rounds: rounds.length, columns: columns.map(columnOf), rows, ratios };
}

/** None where no round has both figures. */
function ratioOf({ what, of, to, target, chart }: Comparison, rounds: readonly Round[]): Ratio[] {
  const values = rounds.flatMap((round) => {
    const [upper, lower] = [figureAt(round, of), to ? figureAt(round, to) : 1];
    return upper === undefined || !lower ? [] : upper / lower;
  });
  if (values.length === 0) return [];
  const ratio = spreadOf(values);
  return [
    {
      what,
      ratio,
      ...(target ? { target, reached: isReached(ratio.median, target) } : {}),
      ...(chart === undefined || !to ? {} : { chart: barOf(chart, to) }),
    },
  ];
}

function figureAt(round: Round, [row, figure]: Cell): number | undefined {
  return round[row]?.[figure] ?? undefined;
}

function barOf(label: string, [row, figure]: Cell): Bar {
  const peer = CHARTED.find((one) => row === one || row.startsWith(`${one},`));
  if (!peer) throw new Error(`the chart has no colour for ${row}: there are ${CHARTED.join(", ")}`);
  return { label, peer, ...(isCost(figure) ? { isCost: true } : {}) };
}
