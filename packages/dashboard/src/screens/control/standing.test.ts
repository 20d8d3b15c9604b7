import { describe, expect, it } from "vitest";
import { standing } from "./standing.ts";

describe("a run keeps its row", () => {
  it("while it runs, and later runs are below", () => {
    expect(standing([], ["a", "b"])).toEqual(["a", "b"]);
    expect(standing(["a", "b"], ["a", "b", "c"])).toEqual(["a", "b", "c"]);
  });

  it("when a run above it ends, whose row the next run takes", () => {
    expect(standing(["a", "b"], ["b"])).toEqual(["a", "b"]);
    expect(standing(["a", "b"], ["b", "c", "d"])).toEqual(["c", "b", "d"]);
  });

  it("and rows below all running ones are removed", () => {
    expect(standing(["a", "b", "c"], ["a"])).toEqual(["a"]);
    expect(standing(["a", "b"], [])).toEqual([]);
  });
});
