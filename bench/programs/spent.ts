import { start } from "../child.ts";
import type { ProgramCalls, Spent, Task } from "./program.ts";

const FILES = {
  flock: "programs/flock.ts",
  langgraph: "peers/langgraph.ts",
  mastra: "peers/mastra.ts",
  sqlite: "programs/sqlite.ts",
} as const;

export type ProgramName = keyof typeof FILES;

/** Measures a program in a new process. */
export async function spentOn(program: ProgramName, task: Omit<Task, "among"> & Partial<Task>): Promise<Spent> {
  const child = start<ProgramCalls>(FILES[program]);
  try {
    return await child.ask("measure", { among: 1, ...task });
  } finally {
    await child.end();
  }
}
