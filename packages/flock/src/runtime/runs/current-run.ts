import { AsyncLocalStorage } from "node:async_hooks";
import type { Activation } from "./activation.ts";
import type { Activity, Occupancy } from "./occupancy.ts";

/** A run, as far as the code that it calls affects it. */
export interface CurrentRun {
  readonly activation: Activation;
  readonly occupancy: Occupancy;
}

/** Where code runs: in which run, and in which of its activities, if in one. */
interface Place {
  readonly run: CurrentRun;
  readonly activity: Activity | undefined;
}

const current = new AsyncLocalStorage<Place>();

/** Calls the function of a run or of one of its activities, which are current for all that it calls. */
export function asCurrent<T>(run: CurrentRun, work: () => T, activity?: Activity): T {
  return current.run({ run, activity }, work);
}

/** Returns the run whose function the caller belongs to, also after its end; undefined for callers outside runs. */
export function currentRun(): CurrentRun | undefined {
  return current.getStore()?.run;
}

/** Returns the activity of the current run that the caller belongs to, if it belongs to one. */
export function currentActivity(): Activity | undefined {
  return current.getStore()?.activity;
}

/** Does a part of the current run's work, so that others of its parts may wait meanwhile. */
export async function asActivity<T>(work: () => Promise<T>): Promise<T> {
  const run = currentRun();
  if (!run) return work();
  const activity = run.occupancy.begin(currentActivity());
  try {
    return await asCurrent(run, work, activity);
  } finally {
    activity.end();
  }
}
