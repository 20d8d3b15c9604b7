import type { FlockState, RunState } from "@flock-ts/protocol";

/** The failed runs that another attempt is to follow, which has not begun: the one whose time comes first before all others. */
export function waitingForRetry({ runs }: Pick<FlockState, "runs">): RunState[] {
  // Runs stand in the order of their last event, so that the last one of an activation is its newest attempt.
  const newest = new Map<string, RunState>();
  for (const run of runs.values()) newest.set(run.activation_id ?? run.run_id, run);
  return [...newest.values()]
    .filter(({ status, retry_at }) => status !== "running" && retry_at !== undefined)
    .sort((a, b) => Date.parse(a.retry_at ?? "") - Date.parse(b.retry_at ?? ""));
}

/** What goes on of a workflow, as far as events tell: what waits for its turn has none. */
export function workOf(state: Pick<FlockState, "runs">, correlationId: string) {
  const isIts = (run: RunState) => run.correlation_id === correlationId;
  const running = [...state.runs.values()].filter((run) => run.status === "running" && isIts(run));
  return { running, retrying: waitingForRetry(state).filter(isIts) };
}
