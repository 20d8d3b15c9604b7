import type { RunState } from "@flock-ts/protocol";

/**
 * The run to show where nobody has chosen one: what happens now. A run that works is shown for as long as it does, and
 * after its end until another one begins.
 *
 * @param newest all runs that may be shown, the one that began last first.
 * @param shown the id of the run that is shown so far.
 */
export function currentRun(newest: readonly RunState[], shown: string | undefined): RunState | undefined {
  const before = newest.find(({ run_id }) => run_id === shown);
  if (before?.status === "running") return before;
  const next = newest.find(({ status }) => status === "running") ?? newest[0];
  if (!before || !next || next.status === "running") return next;
  return next.started_at > (before.ended_at ?? before.started_at) ? next : before;
}
