import type { Column, Ratio, Row, Target, WorkloadReport } from "./report.ts";
import type { Spread } from "./statistics.ts";

export function workloadText(workload: WorkloadReport): string {
  const { name, title, rounds } = workload;
  const note = rounds === 1 ? "one round" : `medians of ${rounds} rounds (least to most)`;
  return [`\n${name}: ${title}; ${note}`, aligned(cellsOf(workload)), ...workload.ratios.map(ratioText)].join("\n");
}

/** Returns the header row, then the data rows. */
export function cellsOf({ columns, rows, rounds }: WorkloadReport): string[][] {
  return [
    ["", ...columns.map(({ title }) => title)],
    ...rows.map((row) => [row.name, ...columns.map((column) => cell(row, column, rounds))]),
  ];
}

function cell({ figures }: Row, { key, digits }: Column, rounds: number): string {
  const spread = figures[key];
  if (!spread) return "–";
  const number = (value: number) => formatted(value, digits);
  return rounds === 1 ? number(spread.median) : `${number(spread.median)} (${rangeOf(spread, number)})`;
}

function rangeOf({ least, most }: Spread, number: (value: number) => string): string {
  return `${number(least)} to ${number(most)}`;
}

function formatted(value: number, digits: number): string {
  // The last digits of large figures are not significant.
  const rounded = Math.abs(value) >= 1_000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function ratioText(ratio: Ratio): string {
  const { what, target, reached } = ratio;
  const text = `${what}: ${ratioFigure(ratio)}`;
  if (!target) return text;
  return `${text}; target: ${targetText(target)}, ${reached ? "met" : "MISSED"}`;
}

export function ratioFigure({ ratio: { median, least, most } }: Ratio): string {
  const number = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  return least === most ? number(median) : `${number(median)} (${number(least)} to ${number(most)})`;
}

export function targetText(target: Target): string {
  return "atLeast" in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
}

/** Formats a count for tables. */
export function counted(things: number): string {
  return things.toLocaleString("en-US");
}

function aligned(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells
    .map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join("   "),
    )
    .map((line) => `  ${line}`)
    .join("\n");
}
