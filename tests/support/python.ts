import { installed } from "./installed.ts";
import { RunningProgram } from "./process.ts";

/** Runs a Python program with Debian's own interpreter and Debian's own libraries. */
export function runPython(program: string, args: readonly string[] = []): RunningProgram {
  const python = installed("/usr/bin/python3", "python3");
  installed("/usr/lib/python3/dist-packages/websockets/__init__.py", "python3-websockets");
  // -E and -s: nothing from this machine's environment or home; -u: each line as soon as it is printed.
  return new RunningProgram([python, "-E", "-s", "-u", program, ...args]);
}
