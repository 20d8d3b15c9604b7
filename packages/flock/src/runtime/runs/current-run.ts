import { AsyncLocalStorage } from "node:async_hooks";
import type { Run } from "./run.ts";

const current = new AsyncLocalStorage<Run>();

/** Calls the function of a run, which is the current run for all that it calls. */
export function asCurrent<T>(run: Run, work: () => T): T {
  return current.run(run, work);
}

/** Returns the run whose function the caller belongs to, also after its end; undefined for callers outside runs. */
export function currentRun(): Run | undefined {
  return current.getStore();
}
