import type { Machine } from "./machine.ts";
import type { Ratio, Report, WorkloadReport } from "./report.ts";
import { cellsOf, ratioFigure, targetText } from "./text.ts";

const BEGIN = "<!-- Results: npm run bench -- report writes this part from bench/results. -->";
const END = "<!-- End of the results. -->";

/** Replaces the text between the two marks of a document with `results`. */
export function withResults(document: string, results: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no ${BEGIN} … ${END} to write between`);
  return `${document.slice(0, begin)}${BEGIN}\n\n${results}\n${document.slice(end)}`;
}

/** Formats the results of all suites. */
export function resultsOf(reports: readonly Report[]): string {
  if (reports.length === 0) return "None are kept. `npm run bench` makes them.\n";
  return reports.map(suiteText).join("\n");
}

function suiteText({ suite, about, machine, workloads }: Report): string {
  return [`### ${suite}\n`, `${about} ${machineText(machine)}\n`, ...workloads.map(workloadText)].join("\n");
}

function machineText({ cpu, cores, memoryGB, node, load, date }: Machine): string {
  return `Measured on ${date}: ${cores} cores (${cpu}), ${memoryGB} GB, Node ${node.replace("v", "")}, load before: ${load}.`;
}

function workloadText(workload: WorkloadReport): string {
  const { name, title, rounds, ratios } = workload;
  const note = rounds === 1 ? "One round." : `Medians of ${rounds} rounds (least to most).`;
  return `**${name}**: ${title}. ${note}\n\n${table(cellsOf(workload))}\n${ratios.length > 0 ? `\n${ratios.map(ratioText).join("\n")}\n` : ""}`;
}

/** Formats a table with names to the left and figures to the right, aligned like the formatter does. */
function table(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const [head = [], ...rows] = cells;
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [head, rule, ...rows].map(line).join("\n");
}

function ratioText(ratio: Ratio): string {
  const { what, target, reached } = ratio;
  const wanted = target ? `; target: ${targetText(target)}, ${reached ? "met" : "**missed**"}` : "";
  return `- ${what}: **${ratioFigure(ratio)}**${wanted}`;
}
