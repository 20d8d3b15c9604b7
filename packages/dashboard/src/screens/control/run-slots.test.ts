import { describe, expect, it } from "vitest";
import { runSlots } from "./run-slots.ts";

describe("a run keeps its row", () => {
  it("while it runs, and later runs are below", () => {
    expect(runSlots([], ["a", "b"])).toEqual(["a", "b"]);
    expect(runSlots(["a", "b"], ["a", "b", "c"])).toEqual(["a", "b", "c"]);
  });

  it("when a run above it ends, whose row the next run takes", () => {
    expect(runSlots(["a", "b"], ["b"])).toEqual(["a", "b"]);
    expect(runSlots(["a", "b"], ["b", "c", "d"])).toEqual(["c", "b", "d"]);
  });

  it("and rows below all running ones are removed", () => {
    expect(runSlots(["a", "b", "c"], ["a"])).toEqual(["a"]);
    expect(runSlots(["a", "b"], [])).toEqual([]);
  });
});
