import { describe, expect, it } from "vitest";
import { curveThrough } from "./curve.ts";

describe("a line is horizontal in the given parts and curves between them", () => {
  it("an empty and a straight line", () => {
    expect(curveThrough([])).toBe("");
    expect(
      curveThrough([
        { y: 5, from: 0, to: 0 },
        { y: 5, from: 50, to: 90 },
      ]),
    ).toBe("M 0 5 H 50 H 90");
  });

  it("from one level to another, with horizontal ends", () => {
    expect(
      curveThrough([
        { y: 0, from: 0, to: 10 },
        { y: 80, from: 50, to: 90 },
      ]),
    ).toBe("M 0 0 H 10 C 30 0 30 80 50 80 H 90");
  });

  it("from right to left", () => {
    expect(
      curveThrough([
        { y: 0, from: 90, to: 90 },
        { y: 10, from: 50, to: 0 },
      ]),
    ).toBe("M 90 0 C 70 0 70 10 50 10 H 0");
  });
});
