// Runs the checks, the build and every test: the short forms, or the full strength with `--soak`. Other arguments go to
// Vitest and skip the rest.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runLoudly, type Step } from "./run.ts";

const PLAYWRIGHT = "tests/dashboard";

const isSoak = process.argv.includes("--soak");
const args = process.argv.slice(2).filter((arg) => arg !== "--soak");
if (isSoak) process.env.FLOCK_TEST_STRENGTH = "soak";
if (args.length > 0) process.exit((await runLoudly(vitest("tests", ...args))) ? 0 : 1);

// The type check uses one core for most of the time: the build and the unit tests use the other one.
const [checked, built] = await Promise.all([runLoudly(script("check")), buildAndTestUnits()]);
// What follows uses ports, browsers and timeouts, and so runs alone.
const passed = checked && built && (await runLoudly(vitest("end-to-end tests", "--project", "e2e")));
if (!passed) process.exit(1);
if (existsSync(join(ROOT, PLAYWRIGHT, "playwright.config.ts"))) {
  const command = ["playwright", "test", "-c", PLAYWRIGHT] as const;
  if (!(await runLoudly({ name: "dashboard tests", command }))) process.exit(1);
}

async function buildAndTestUnits(): Promise<boolean> {
  return (await runLoudly(script("build"))) && (await runLoudly(vitest("unit tests", "--project", "unit")));
}

function script(name: string): Step {
  return { name, command: ["node", `scripts/${name}.ts`] };
}

function vitest(name: string, ...rest: string[]): Step {
  return { name, command: ["vitest", "run", ...rest] };
}
