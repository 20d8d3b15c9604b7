import type { StepState } from "@flock-ts/protocol";
import { duration } from "../../ui/format.ts";
import type { StepBar } from "./workflow.ts";

/** What a run called, for those who do not see it: how often each kind, and how long that took in all. */
export function stepsInWords(steps: readonly StepBar[]): string[] {
  return (["model", "tool"] as const).flatMap((kind) => {
    const those = steps.filter(({ step }) => step.kind === kind);
    if (those.length === 0) return [];
    const took = those.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
    const failed = those.filter(({ step }) => step.status === "error").length;
    const calls = `${those.length} ${kind} ${those.length === 1 ? "call" : "calls"} in ${duration(took)}`;
    return [failed === 0 ? calls : `${calls}, ${failed} failed`];
  });
}

/** How long a step took, or has taken so far; undefined for one of which nobody told the end. */
export function tookOf({ status, duration_ms, started_at, ended_at }: StepState, now: number): number {
  if (duration_ms !== undefined) return duration_ms;
  const until = status === "running" || ended_at === undefined ? now : Date.parse(ended_at);
  return Math.max(0, until - Date.parse(started_at));
}
