// Runs the newsroom, restarted when its code changes, and the dashboard in Vite's development server, which reloads changed
// modules. Arguments go to the newsroom.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./run.ts";

/** How long the two have to end by themselves, in ms: the newsroom promises five seconds. */
const PATIENCE = 6_000;

const children = [
  start(
    "node",
    ["--watch", "examples/newsroom/main.ts", "--port", "8000", "--no-open", ...process.argv.slice(2)],
    ROOT,
  ),
  start("vite", ["--clearScreen", "false"], join(ROOT, "packages/dashboard")),
];
let ending = false;

// Ctrl-C in a terminal reaches the children by itself, and a second signal would cut their clean end short.
process.on("SIGINT", () => end(process.stdin.isTTY ? undefined : "SIGTERM", 0));
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(signal, 0));

// One without the other is of no use.
for (const child of children) child.on("exit", (code) => end("SIGTERM", code ?? 1));

function start(command: string, args: readonly string[], cwd: string): ChildProcess {
  const child = spawn(command, args, { cwd, stdio: "inherit" });
  child.on("error", (error) => {
    console.error(`could not run ${command}: ${error.message}`);
    end("SIGTERM", 1);
  });
  return child;
}

function end(signal: NodeJS.Signals | undefined, code: number): void {
  if (ending) return;
  ending = true;
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  let left = running.length;
  const leave = () => process.exit(code);
  if (left === 0) leave();
  for (const child of running) {
    child.once("exit", () => --left === 0 && leave());
    if (signal) child.kill(signal);
  }
  setTimeout(() => {
    for (const child of running) child.kill("SIGKILL");
  }, PATIENCE).unref();
}
