// Benchmarks beside their peers.
//
//   npm run bench -- [SUITE…] [--workload NAME] [--quick] [--json FILE]
//   npm run bench -- report     writes what full runs have kept in bench/results into bench/README.md and bench/chart.svg
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
  if (unknown.length > 0) fail(`there is no suite ${unknown.join(", ")}: there are ${names.join(", ")}, and report`);
  await measure(SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name)));
}

async function measure(suites: typeof SUITES): Promise<void> {
  const { workload: only, quick, json } = values;
  if (only !== undefined && suites.length !== 1)
    fail("--workload wants one suite: npm run bench -- SUITE --workload NAME");
  const size = quick ? "quick" : "full";
  console.log(suites.map(({ name, minutes }) => `${name} takes about ${duration(minutes[size])}`).join("\n"));
  const { load, cores } = thisMachine();
  if (load > cores / 4)
    console.log(`this machine is busy (load ${load}): figures by the clock will look worse than they are`);
  const reports: Report[] = [];
  for (const suite of suites) {
    console.log(`\n${suite.name}. ${suite.about}`);
    const report = await run(suite, size, only, (workload) => console.log(workloadText(workload)));
    reports.push(report);
    // What was measured in part or in a hurry is not worth quoting.
    if (!quick && only === undefined) console.log(`\nkept in ${keep(report)}: npm run bench -- report publishes it`);
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
