import { describe, expect, it } from "vitest";
import { standing } from "./standing.ts";

describe("a run keeps its row", () => {
  it("while it runs, and those that come later stand below", () => {
    expect(standing([], ["a", "b"])).toEqual(["a", "b"]);
    expect(standing(["a", "b"], ["a", "b", "c"])).toEqual(["a", "b", "c"]);
  });

  it("when one above it ends, whose row the next one takes", () => {
    expect(standing(["a", "b"], ["b"])).toEqual(["a", "b"]);
    expect(standing(["a", "b"], ["b", "c", "d"])).toEqual(["c", "b", "d"]);
  });

  it("and rows below all that runs go", () => {
    expect(standing(["a", "b", "c"], ["a"])).toEqual(["a"]);
    expect(standing(["a", "b"], [])).toEqual([]);
  });
});
