import type { RunState } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { currentRun } from "./current-run.ts";

/** A run that started, and possibly ended, at given seconds. */
function run(run_id: string, began: number, ended?: number): RunState {
  const at = (second: number) => new Date(second * 1_000).toISOString();
  return {
    run_id,
    agent_id: "chef",
    correlation_id: "c",
    status: ended === undefined ? "running" : "success",
    attempt: 1,
    consumed: [],
    produced: [],
    started_at: at(began),
    ...(ended === undefined ? {} : { ended_at: at(ended) }),
  };
}

describe("the run shown without a selection", () => {
  it.for([
    ["none without runs", [], undefined, undefined],
    ["the newest run", [run("b", 2, 3), run("a", 1, 9)], undefined, "b"],
    ["a running run before a newer ended one", [run("b", 2, 3), run("a", 1)], undefined, "a"],
    ["the same while it runs", [run("c", 3), run("b", 2), run("a", 1)], "a", "a"],
    ["after its end, a running one", [run("b", 2), run("a", 1, 5)], "a", "b"],
    ["after its end, itself, although others started and ended meanwhile", [run("b", 2, 3), run("a", 1, 5)], "a", "a"],
    ["a run that started since", [run("b", 6, 7), run("a", 1, 5)], "a", "b"],
    ["the newest, when the shown one no longer exists", [run("b", 2, 3)], "a", "b"],
  ] as const)("%s", ([, newest, shown, expected]) => {
    expect(currentRun(newest, shown)?.run_id).toBe(expected);
  });
});
