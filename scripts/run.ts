import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A command of the project, and its name in the output. */
export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
}

/**
 * Runs steps concurrently and prints each step's duration, with the output of those that fail.
 * Resolves to whether all of them succeeded.
 */
export async function runAll(steps: readonly Step[]): Promise<boolean> {
  const results = await Promise.all(steps.map(runQuietly));
  return results.every(Boolean);
}

/** Runs a step with its output on the screen, then prints its duration. Resolves to whether it succeeded. */
export function runLoudly({ name, command, cwd }: Step): Promise<boolean> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd: cwd ?? ROOT, stdio: "inherit" });
    child.on("exit", (code) => {
      console.log(verdict(name, code === 0, started));
      resolve(code === 0);
    });
  });
}

function runQuietly({ name, command, cwd }: Step): Promise<boolean> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd: cwd ?? ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => {
      console.log(verdict(name, code === 0, started) + (code === 0 ? "" : `\n${output}`));
      resolve(code === 0);
    });
  });
}

function verdict(name: string, ok: boolean, started: number): string {
  return `${ok ? "✓" : "✗"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`;
}
