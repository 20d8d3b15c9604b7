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

/** Figures of one round by row. A round may lack a row. */
type Round = Readonly<Record<string, Figures>>;

/** How each row is measured, in order. A row's name starts with its peer. */
export type Rows = Readonly<Record<string, () => Promise<Figures>>>;

/** One figure of a round. */
export type Cell = readonly [row: string, figure: Figure];

/** Ratio of two figures of a round, or a single figure. */
export interface Comparison {
  readonly what: string;
  readonly of: Cell;
  readonly to?: Cell;
  readonly target?: Target;
  /** Label of its bar in the chart, for the peer in `to`. */
  readonly chart?: string;
}

/** One measurement: a table of comparable rounds. */
export interface Table<Load> {
  readonly name: string;
  /** Load by size. */
  readonly loads: Readonly<Record<Size, Load>>;
  readonly title: (load: Load) => string;
  /** Rounds of a full run. Default: 3. */
  readonly rounds?: number;
  readonly columns: readonly Figure[];
  readonly comparisons: readonly Comparison[];
  /**
   * Measures each row once per round, in sequence, so that other activity of the machine affects all rows alike. A row
   * fails when events were lost or work was not done.
   */
  readonly rows: (load: Load) => Rows;
}

/** A {@link Table} without its load type. */
export interface Workload extends Omit<Table<never>, "loads" | "title" | "rows"> {
  readonly title: (size: Size) => string;
  readonly rows: (size: Size) => Rows;
}

/** Workloads that answer one question. */
export interface Suite {
  readonly name: string;
  /** The question. */
  readonly about: string;
  /** Duration of a run, in minutes. */
  readonly minutes: { readonly full: number; readonly quick: number };
  readonly workloads: readonly Workload[];
}

const ROUNDS = 3;

export function workload<Load>({ loads, title, rows, ...table }: Table<Load>): Workload {
  return { ...table, title: (size) => title(loads[size]), rows: (size) => rows(loads[size]) };
}

/** Creates a row for each name. */
export function rowsOf<Name extends string>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Figures>,
): Record<string, () => Promise<Figures>> {
  return Object.fromEntries(names.map((name) => [name, () => measure(name)]));
}

/**
 * Compares a figure of Flock with that of a peer.
 * @param rowOf returns the rows, if they are not named like the peers.
 */
export function flockTo(
  peer: string,
  what: string,
  figure: Figure,
  more: Pick<Comparison, "target" | "chart"> = {},
  rowOf: (who: string) => string = (who) => who,
): Comparison {
  return { what: `${what}, Flock to ${peer}`, of: [rowOf("flock"), figure], to: [rowOf(peer), figure], ...more };
}

/**
 * Runs a suite or one of its workloads.
 * @param show receives each workload's report when it is done.
 */
export async function run(
  { name, about, workloads }: Suite,
  size: Size,
  only?: string,
  show: (report: WorkloadReport) => void = () => {},
): Promise<Report> {
  const chosen = workloads.filter((workload) => only === undefined || workload.name === only);
  if (chosen.length === 0) {
    const names = workloads.map((workload) => workload.name).join(", ");
    throw new Error(`Unknown workload \`${only}\` of suite \`${name}\`. Use ${names}.`);
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

/** Returns nothing when no round has both figures. */
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
  if (!peer) throw new Error(`No chart colour for \`${row}\`. Charted peers: ${CHARTED.join(", ")}.`);
  return { label, peer, ...(isCost(figure) ? { isCost: true } : {}) };
}
