import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chartOf } from "./chart.ts";
import { resultsOf, withResults } from "./markdown.ts";
import type { Report } from "./report.ts";

const FOLDER = new URL("../results/", import.meta.url);
const README = new URL("../README.md", import.meta.url);
const CHART = new URL("../chart.svg", import.meta.url);

/** Saves the results of a full run for {@link publishResults}. Returns the path. */
export function keep(report: Report): string {
  const file = new URL(`${report.suite}.json`, FOLDER);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return fileURLToPath(file);
}

/** Returns the expected text of the documents that contain results, by path. */
export function documents(suites: readonly string[]): ReadonlyMap<string, string> {
  const reports = keptReports(suites);
  return new Map([
    [fileURLToPath(README), withResults(readFileSync(README, "utf8"), resultsOf(reports))],
    [fileURLToPath(CHART), chartOf(reports)],
  ]);
}

/** Writes the saved results into the README and the chart. Returns the written paths. */
export function publishResults(suites: readonly string[]): string[] {
  const written = documents(suites);
  for (const [file, text] of written) writeFileSync(file, text);
  return [...written.keys()];
}

/** Returns the saved reports of the suites, in their order. */
function keptReports(suites: readonly string[]): Report[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
  return suites
    .map((suite) => `${suite}.json`)
    .filter((file) => files.includes(file))
    .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Report);
}
