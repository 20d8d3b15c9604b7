import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chartOf } from "./chart.ts";
import { resultsOf, withResults } from "./markdown.ts";
import type { Report } from "./report.ts";

const FOLDER = new URL("../results/", import.meta.url);
const README = new URL("../README.md", import.meta.url);
const CHART = new URL("../chart.svg", import.meta.url);

/** Keeps what a full run has found, for {@link publishResults}. Returns where. */
export function keep(report: Report): string {
  const file = new URL(`${report.suite}.json`, FOLDER);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return fileURLToPath(file);
}

/** The documents that show the results, as they have to be: by path. */
export function documents(suites: readonly string[]): ReadonlyMap<string, string> {
  const reports = keptReports(suites);
  return new Map([
    [fileURLToPath(README), withResults(readFileSync(README, "utf8"), resultsOf(reports))],
    [fileURLToPath(CHART), chartOf(reports)],
  ]);
}

/** Writes what was kept into the README and the chart. Returns what it has written. */
export function publishResults(suites: readonly string[]): string[] {
  const written = documents(suites);
  for (const [file, text] of written) writeFileSync(file, text);
  return [...written.keys()];
}

/** What there is of the suites, in their order. */
function keptReports(suites: readonly string[]): Report[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
  return suites
    .map((suite) => `${suite}.json`)
    .filter((file) => files.includes(file))
    .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Report);
}
