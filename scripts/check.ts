// Checks format, lint, types, module boundaries (.dependency-cruiser.cjs), unused files and dependencies (knip.json) and
// prose (scripts/prose).
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runAll, type Step } from "./run.ts";

const steps: Step[] = [
  { name: "types", command: ["tsc", "--noEmit", "--pretty", "false"] },
  { name: "format and lint", command: ["biome", "ci", "--colors=off", "."] },
  {
    name: "module boundaries",
    command: ["depcruise", "--config", ".dependency-cruiser.cjs", "packages", "examples", "bench"],
  },
  { name: "unused files and dependencies", command: ["knip", "--no-progress"] },
  { name: "prose", command: ["node", "scripts/prose/main.ts"] },
];
if (existsSync(join(ROOT, "bench/peers/node_modules"))) {
  steps.push({ name: "types of the bench's peers", command: ["tsc", "-p", "bench/peers", "--pretty", "false"] });
}
process.exit((await runAll(steps)) ? 0 : 1);
