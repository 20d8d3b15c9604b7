// Benchmarks beside their peers: npm run bench -- <suite> [--workload NAME] [--quick] [--json FILE]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const SUITES = { fanout: () => import("./fanout/suite.ts"), publish: () => import("./publish/suite.ts") };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { workload: { type: "string" }, quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const name = positionals[0] ?? "fanout";
const load = SUITES[name as keyof typeof SUITES];
if (!load || positionals.length > 1) {
  console.error(`bench: there is no suite ${positionals.join(" ")}: there are ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}
const { run } = await load();
const report = await run({ quick: values.quick, workload: values.workload });
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
