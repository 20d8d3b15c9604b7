import type { FlockState, RunState } from "@flock-ts/protocol";

/** Returns the failed runs whose retry has not started, the next one due first. */
export function waitingForRetry({ runs }: Pick<FlockState, "runs">): RunState[] {
  // Runs are in the order of their last event, so the last run of an activation is its newest attempt.
  const newest = new Map<string, RunState>();
  for (const run of runs.values()) newest.set(run.activation_id ?? run.run_id, run);
  return [...newest.values()]
    .filter(({ status, retry_at }) => status !== "running" && retry_at !== undefined)
    .sort((a, b) => Date.parse(a.retry_at ?? "") - Date.parse(b.retry_at ?? ""));
}

/** Returns the running and retrying runs of a workflow. Queued runs have no events and are not included. */
export function workOf(state: Pick<FlockState, "runs">, correlationId: string) {
  const isIts = (run: RunState) => run.correlation_id === correlationId;
  const running = [...state.runs.values()].filter((run) => run.status === "running" && isIts(run));
  return { running, retrying: waitingForRetry(state).filter(isIts) };
}
