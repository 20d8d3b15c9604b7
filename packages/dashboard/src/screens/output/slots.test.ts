import type { RunState } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { slotsOf } from "./slots.ts";

const run = (run_id: string, status: "running" | "success") =>
  ({ run_id, status, stream: { text: run_id } }) as unknown as RunState;
const runs = (...list: RunState[]) => new Map(list.map((one) => [one.run_id, one]));

describe("a run keeps its pane", () => {
  it("while it runs, when others start", () => {
    const all = runs(run("a", "running"), run("b", "running"), run("c", "running"));
    expect(slotsOf(["a", "b"], all, 2)).toEqual(["a", "b"]);
  });

  it("after its end until another run needs it", () => {
    const ended = runs(run("a", "success"), run("b", "running"));
    expect(slotsOf(["a", "b"], ended, 2)).toEqual(["a", "b"]);
    expect(slotsOf(["a", "b"], runs(...ended.values(), run("c", "running")), 2)).toEqual(["c", "b"]);
  });

  it("permanently while pinned", () => {
    const all = runs(run("a", "success"), run("b", "running"), run("c", "running"));
    expect(slotsOf(["a", "b"], all, 2, ["a"])).toEqual(["a", "b"]);
    expect(slotsOf(["b", "c"], all, 2, ["a"])).toEqual(["a", "c"]);
  });
});

describe("empty panes", () => {
  it("show running runs, then the latest ended ones", () => {
    expect(slotsOf([], runs(run("a", "success"), run("b", "success"), run("c", "running")), 2)).toEqual(["c", "b"]);
  });

  it("of runs unknown at this seq are reused", () => {
    expect(slotsOf(["gone"], runs(run("a", "success")), 1)).toEqual(["a"]);
  });

  it("stay empty without runs", () => {
    expect(slotsOf([], runs({ ...run("a", "running"), stream: undefined } as unknown as RunState), 3)).toEqual([]);
  });
});
