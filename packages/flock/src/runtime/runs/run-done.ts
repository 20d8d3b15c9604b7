import { type CurrentRun, currentActivity } from "./current-run.ts";
import type { RunEnd } from "./run-end.ts";
import { WatchedPromise } from "./watched-promise.ts";

/** The end of a run, for callers that wait for it. */
export interface RunDone {
  readonly done: Promise<RunEnd>;
  /** Resolves `done`. */
  readonly onEnd: (end: RunEnd) => void;
}

/**
 * Creates the promise of a run's end. A run that awaits it releases its slot: the other run may need that one, and both
 * would wait for ever.
 * @param caller returns the run of the same flock that the caller belongs to, if it belongs to one.
 */
export function runDone(caller: () => CurrentRun | undefined): RunDone {
  const { promise, resolve } = Promise.withResolvers<RunEnd>();
  const returns: (() => void)[] = [];
  let isOver = false;
  const done = new WatchedPromise(promise, (source) => {
    const run = isOver ? undefined : caller();
    if (!run) return source;
    const end = run.occupancy.wait("run", currentActivity());
    const { promise: returned, resolve: goOn, reject } = Promise.withResolvers<void>();
    returns.push(() => {
      const returning = end();
      if (returning) returning.then(goOn, reject);
      else goOn();
    });
    return source.then(async (ended) => {
      await returned;
      return ended;
    });
  });
  const onEnd = (end: RunEnd): void => {
    isOver = true;
    // At once, so that the flock does not count as idle between this end and what the waiting run makes of it.
    for (const goOn of returns) goOn();
    resolve(end);
  };
  return { done, onEnd };
}
