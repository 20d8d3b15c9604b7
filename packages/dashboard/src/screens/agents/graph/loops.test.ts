import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "./flows.ts";
import { flowsBack } from "./loops.ts";

/** The flows that go back, of a graph as `a>b b>a`. Who there is comes in the order of `ids`. */
function back(ids: string, text: string): string[] {
  const flows = text.split(" ").map((id): Flow => {
    const [source, target] = id.split(">") as [string, string];
    return { id, source, target, types: [] };
  });
  return [...flowsBack(ids.split(" "), flows)].map(({ id }) => id);
}

describe("of a loop, what goes back is known", () => {
  it("a loop begins where something comes into it, however its agents were declared", () => {
    expect(back("outside critic writer", "outside>writer writer>critic critic>writer")).toEqual(["critic>writer"]);
  });

  it("also where it comes to several at the same time", () => {
    expect(back("outside a b critic", "outside>a outside>b a>critic b>critic critic>a critic>b")).toEqual([
      "critic>a",
      "critic>b",
    ]);
  });

  it("a loop of its own begins with those that were declared first", () => {
    expect(back("a b critic owner", "a>critic b>critic critic>owner owner>a owner>b")).toEqual(["owner>a", "owner>b"]);
  });

  it("without a loop nothing goes back, whoever was declared first; nor what somebody gives to itself", () => {
    expect(back("c b a", "a>b b>c a>c b>b")).toEqual([]);
  });

  it("without what goes back there is no loop", () => {
    const ids = [..."abcdef"];
    const pairs = fc.uniqueArray(
      fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids)).map(([one, other]) => `${one}>${other}`),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(pairs, (pairs) => {
        const gone = back(ids.join(" "), pairs.join(" "));
        const onward = pairs.filter((pair) => !gone.includes(pair) && pair[0] !== pair[2]);
        // Who has nothing coming in goes, until nobody is left.
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
