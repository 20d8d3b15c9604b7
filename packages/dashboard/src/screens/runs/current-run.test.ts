import type { RunState } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { currentRun } from "./current-run.ts";

/** A run that began and perhaps ended at some second. */
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

describe("where nobody has chosen, what happens now is shown", () => {
  it.for([
    ["nothing, when nothing has run", [], undefined, undefined],
    ["the newest run", [run("b", 2, 3), run("a", 1, 9)], undefined, "b"],
    ["one that works before a newer one that has ended", [run("b", 2, 3), run("a", 1)], undefined, "a"],
    ["the same for as long as it works", [run("c", 3), run("b", 2), run("a", 1)], "a", "a"],
    ["after its end, one that works", [run("b", 2), run("a", 1, 5)], "a", "b"],
    ["after its end, itself, although others have come and gone meanwhile", [run("b", 2, 3), run("a", 1, 5)], "a", "a"],
    ["a run that has begun since", [run("b", 6, 7), run("a", 1, 5)], "a", "b"],
    ["the newest, when the shown one is not among them any more", [run("b", 2, 3)], "a", "b"],
  ] as const)("%s", ([, newest, shown, expected]) => {
    expect(currentRun(newest, shown)?.run_id).toBe(expected);
  });
});
