import type { StepState } from "@flock-ts/protocol";
import { duration } from "../../ui/format.ts";
import type { StepBar } from "./workflow.ts";

/** Describes a run's steps for screen readers: the number of calls and their total time, by kind. */
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

/** Returns the duration of a step so far; undefined when its end was not reported. */
export function tookOf({ status, duration_ms, started_at, ended_at }: StepState, now: number): number {
  if (duration_ms !== undefined) return duration_ms;
  const until = status === "running" || ended_at === undefined ? now : Date.parse(ended_at);
  return Math.max(0, until - Date.parse(started_at));
}
