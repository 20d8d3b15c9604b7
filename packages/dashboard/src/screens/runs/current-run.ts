import type { RunState } from "@flock-ts/protocol";

/**
 * Selects the run to show when the user has chosen none: a running one. It is shown until it ends and another one
 * starts.
 *
 * @param newest all runs to choose from, the latest start first.
 * @param shown the id of the run that is shown.
 */
export function currentRun(newest: readonly RunState[], shown: string | undefined): RunState | undefined {
  const before = newest.find(({ run_id }) => run_id === shown);
  if (before?.status === "running") return before;
  const next = newest.find(({ status }) => status === "running") ?? newest[0];
  if (!before || !next || next.status === "running") return next;
  return next.started_at > (before.ended_at ?? before.started_at) ? next : before;
}
