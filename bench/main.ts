// Benchmarks against peers.
//
//   npm run bench -- [SUITE…] [--workload NAME] [--quick] [--json FILE]
//   npm run bench -- report     publishes the results of full runs from bench/results in bench/README.md and bench/chart.svg
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { thisMachine } from "./report/machine.ts";
import type { Report } from "./report/report.ts";
import { keep, publishResults } from "./report/results.ts";
import { workloadText } from "./report/text.ts";
import { SUITES } from "./suites/index.ts";
import { run } from "./suites/suite.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { workload: { type: "string" }, quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const names = SUITES.map(({ name }) => name);
if (positionals.join() === "report") {
  console.log(`written: ${publishResults(names).join(", ")}`);
} else {
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) fail(`Unknown suite: ${unknown.join(", ")}. Use ${names.join(", ")} or report.`);
  await measure(SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name)));
}

async function measure(suites: typeof SUITES): Promise<void> {
  const { workload: only, quick, json } = values;
  if (only !== undefined && suites.length !== 1)
    fail("--workload requires one suite: npm run bench -- SUITE --workload NAME");
  const size = quick ? "quick" : "full";
  console.log(suites.map(({ name, minutes }) => `${name} takes about ${duration(minutes[size])}`).join("\n"));
  const { load, cores } = thisMachine();
  if (load > cores / 4) console.log(`this machine is busy (load ${load}): wall-clock figures will be too high`);
  const reports: Report[] = [];
  for (const suite of suites) {
    console.log(`\n${suite.name}. ${suite.about}`);
    const report = await run(suite, size, only, (workload) => console.log(workloadText(workload)));
    reports.push(report);
    // Partial or quick runs are not worth publishing.
    if (!quick && only === undefined) console.log(`\nsaved in ${keep(report)}; npm run bench -- report publishes it`);
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
  }
}

function duration(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60)} s` : `${minutes} min`;
}

function fail(reason: string): never {
  console.error(`bench: ${reason}`);
  process.exit(2);
}
