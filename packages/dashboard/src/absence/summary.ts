import type { Log } from "../timeline/log.ts";

/** What happened during an absence. */
export interface MissedSummary {
  /** The newest seq that the viewer had seen. */
  readonly since: number;
  readonly failed: number;
  readonly ended: number;
  readonly artifacts: number;
  /** The seq of the first failure. */
  readonly firstFailure: number | null;
}

/** Summarizes the events after a seq; null when no run ended and no artifact was published. */
export function summarizeMissed(log: Log, since: number): MissedSummary | null {
  let failed = 0;
  let ended = 0;
  let artifacts = 0;
  let firstFailure: number | null = null;
  for (let index = log.indexOf(since) + 1; index < log.length; index++) {
    const event = log.at(index);
    if (event?.type === "artifact_published") artifacts++;
    if (event?.type !== "agent_execution_completed") continue;
    ended++;
    if (event.status !== "error" && event.status !== "timeout") continue;
    failed++;
    firstFailure ??= event.seq;
  }
  return ended === 0 && artifacts === 0 ? null : { since, failed, ended, artifacts, firstFailure };
}

/** Returns the summary as a sentence. */
export function missedText({ failed, ended, artifacts }: MissedSummary): string {
  const parts = [
    failed > 0 ? `${counted(failed, "run")} failed` : "",
    ended > failed ? `${counted(ended - failed, "run")} completed` : "",
    artifacts > 0 ? counted(artifacts, "artifact") : "",
  ];
  return `While you were away: ${parts.filter(Boolean).join(", ")}.`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
