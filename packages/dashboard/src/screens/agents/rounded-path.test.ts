import { describe, expect, it } from "vitest";
import { pathThrough } from "./rounded-path.ts";

describe("a line goes through its points and rounds its corners", () => {
  it("nothing and a straight line", () => {
    expect(pathThrough([])).toBe("");
    expect(
      pathThrough([
        { x: 0, y: 0 },
        { x: 50, y: 0 },
      ]),
    ).toBe("M 0 0 L 50 0");
  });

  it("a corner with room", () => {
    const path = pathThrough([
      { x: 0, y: 0 },
      { x: 100, y: 0 },
      { x: 100, y: 100 },
    ]);
    expect(path).toBe("M 0 0 L 88 0 Q 100 0 100 12 L 100 100");
  });

  it("corners that are near each other share what is between them", () => {
    const path = pathThrough([
      { x: 0, y: 0 },
      { x: 40, y: 0 },
      { x: 40, y: 10 },
      { x: 80, y: 10 },
    ]);
    expect(path).toBe("M 0 0 L 28 0 Q 40 0 40 5 L 40 5 Q 40 10 52 10 L 80 10");
  });

  it("the same point twice", () => {
    const twice = { x: 10, y: 10 };
    expect(pathThrough([{ x: 0, y: 10 }, twice, twice, { x: 10, y: 50 }])).not.toContain("NaN");
  });
});
