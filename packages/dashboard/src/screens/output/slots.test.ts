import type { RunState } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { slotsOf } from "./slots.ts";

const run = (run_id: string, status: "running" | "success") =>
  ({ run_id, status, stream: { text: run_id } }) as unknown as RunState;
const runs = (...list: RunState[]) => new Map(list.map((one) => [one.run_id, one]));

describe("what somebody reads stays where it is", () => {
  it("as long as it runs, whoever comes", () => {
    const all = runs(run("a", "running"), run("b", "running"), run("c", "running"));
    expect(slotsOf(["a", "b"], all, 2)).toEqual(["a", "b"]);
  });

  it("after that until its place is wanted", () => {
    const ended = runs(run("a", "success"), run("b", "running"));
    expect(slotsOf(["a", "b"], ended, 2)).toEqual(["a", "b"]);
    expect(slotsOf(["a", "b"], runs(...ended.values(), run("c", "running")), 2)).toEqual(["c", "b"]);
  });

  it("when somebody has pinned it, for good", () => {
    const all = runs(run("a", "success"), run("b", "running"), run("c", "running"));
    expect(slotsOf(["a", "b"], all, 2, ["a"])).toEqual(["a", "b"]);
    expect(slotsOf(["b", "c"], all, 2, ["a"])).toEqual(["a", "c"]);
  });
});

describe("empty places", () => {
  it("are filled with what runs, then with what ran last", () => {
    expect(slotsOf([], runs(run("a", "success"), run("b", "success"), run("c", "running")), 2)).toEqual(["c", "b"]);
  });

  it("of runs that are not known at this seq are given to others", () => {
    expect(slotsOf(["gone"], runs(run("a", "success")), 1)).toEqual(["a"]);
  });

  it("stay empty when there is nothing to show", () => {
    expect(slotsOf([], runs({ ...run("a", "running"), stream: undefined } as unknown as RunState), 3)).toEqual([]);
  });
});
