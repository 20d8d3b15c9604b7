// Benchmarks beside their peers: npm run bench -- [SUITE] [--workload NAME] [--quick] [--json FILE]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Report } from "./report/report.ts";
import { workloadText } from "./report/text.ts";
import { SUITES } from "./suites/index.ts";
import { run } from "./suites/suite.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { workload: { type: "string" }, quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const chosen = SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) fail(`there is no suite ${unknown.join(", ")}: there are ${nameAll()}`);
if (values.workload !== undefined && chosen.length > 1)
  fail("--workload wants one suite: npm run bench -- SUITE --workload NAME");

const size = values.quick ? "quick" : "full";
const minutes = (name: string, some: number) =>
  `${name}: about ${some < 1 ? `${Math.round(some * 60)} s` : `${some} min`}`;
console.log(chosen.map((suite) => minutes(suite.name, suite.minutes[size])).join("\n"));
const reports: Report[] = [];
for (const suite of chosen) {
  console.log(`\n${suite.name}. ${suite.about}`);
  const report = await run(suite, size, values.workload, (workload) => console.log(workloadText(workload)));
  reports.push(report);
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
}

function nameAll(): string {
  return SUITES.map(({ name }) => name).join(", ");
}

function fail(reason: string): never {
  console.error(`bench: ${reason}`);
  process.exit(2);
}
