import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder of the whole project. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A command of the project: what to call it in the output, and its words. */
export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
}

/**
 * Runs steps side by side and shows the output of those that fail.
 * Resolves to whether all of them succeeded.
 */
export async function runAll(steps: readonly Step[]): Promise<boolean> {
  const results = await Promise.all(steps.map(runQuietly));
  for (const [index, { ok, output, seconds }] of results.entries()) {
    console.log(`${ok ? "✓" : "✗"} ${steps[index]?.name} (${seconds.toFixed(1)} s)`);
    if (!ok) console.log(output);
  }
  return results.every(({ ok }) => ok);
}

/** Runs one step with its output on the screen. Resolves to its exit code. */
export function runLoudly({ command, cwd }: Step): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd: cwd ?? ROOT, stdio: "inherit" });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

function runQuietly({ command, cwd }: Step): Promise<{ ok: boolean; output: string; seconds: number }> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command[0], command.slice(1), { cwd: cwd ?? ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => resolve({ ok: code === 0, output, seconds: (performance.now() - started) / 1000 }));
  });
}
