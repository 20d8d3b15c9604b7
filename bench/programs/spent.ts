import { start } from "../child.ts";
import type { ProgramCalls, Spent, Task } from "./program.ts";

/** A file of this folder. */
export type ProgramName = "flock" | "langgraph" | "mastra" | "sqlite";

/** Measures a program in a new process. */
export async function spentOn(program: ProgramName, task: Omit<Task, "among"> & Partial<Task>): Promise<Spent> {
  const child = start<ProgramCalls>(`programs/${program}.ts`);
  try {
    return await child.ask("measure", { among: 1, ...task });
  } finally {
    await child.end();
  }
}
