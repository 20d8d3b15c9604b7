import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "./flows.ts";
import { flowsBack } from "./loops.ts";

/** Returns the backward flows of a graph such as `a>b b>a`, with the nodes in the order of `ids`. */
function back(ids: string, text: string): string[] {
  const flows = text.split(" ").map((id): Flow => {
    const [source, target] = id.split(">") as [string, string];
    return { id, source, target, types: [] };
  });
  return [...flowsBack(ids.split(" "), flows)].map(({ id }) => id);
}

describe("backward flows of loops", () => {
  it("a loop starts at its external input, with any order of declaration", () => {
    expect(back("outside critic writer", "outside>writer writer>critic critic>writer")).toEqual(["critic>writer"]);
  });

  it("also with several external inputs", () => {
    expect(back("outside a b critic", "outside>a outside>b a>critic b>critic critic>a critic>b")).toEqual([
      "critic>a",
      "critic>b",
    ]);
  });

  it("an isolated loop starts at the first declared node", () => {
    expect(back("a b critic owner", "a>critic b>critic critic>owner owner>a owner>b")).toEqual(["owner>a", "owner>b"]);
  });

  it("acyclic graphs and self-loops have no backward flow", () => {
    expect(back("c b a", "a>b b>c a>c b>b")).toEqual([]);
  });

  it("removing the backward flows removes all loops", () => {
    const ids = [..."abcdef"];
    const pairs = fc.uniqueArray(
      fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids)).map(([one, other]) => `${one}>${other}`),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(pairs, (pairs) => {
        const gone = back(ids.join(" "), pairs.join(" "));
        const onward = pairs.filter((pair) => !gone.includes(pair) && pair[0] !== pair[2]);
        // Removes nodes without inputs until none is left.
        let left = ids;
        for (let before = -1; before !== left.length; ) {
          before = left.length;
          left = left.filter((id) => left.some((from) => onward.includes(`${from}>${id}`)));
        }
        expect(left).toEqual([]);
      }),
    );
  });
});
