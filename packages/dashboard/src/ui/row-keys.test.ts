import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexNear, rowAfterKey } from "./row-keys.ts";

const pressed = (key: string, at: number, ctrlKey = false) =>
  rowAfterKey({ key, ctrlKey, metaKey: false, altKey: false }, at, 20, 5);

describe("keys of a list", () => {
  it.for([
    ["ArrowDown", 0, 1],
    ["ArrowDown", 19, 19],
    ["ArrowUp", 0, 0],
    ["PageDown", 3, 8],
    ["PageUp", 3, 0],
    ["Home", 12, 0],
    ["End", 12, 19],
    ["a", 12, undefined],
  ] as const)("%s on row %i leads to %j", ([key, at, to]) => {
    expect(pressed(key, at)).toBe(to);
  });

  it("leaves keys with Ctrl to the browser", () => {
    expect(pressed("Home", 3, true)).toBeUndefined();
  });
});

describe("a row is found again", () => {
  it("wherever it was, and said not to be there when it is gone", () => {
    const lists = fc.uniqueArray(fc.string(), { maxLength: 30 });
    fc.assert(
      fc.property(lists, fc.string(), fc.integer({ min: -3, max: 40 }), (list, key, near) => {
        expect(indexNear(list, (one) => one, key, near)).toBe(list.indexOf(key));
        for (const one of list) expect(indexNear(list, (each) => each, one, near)).toBe(list.indexOf(one));
      }),
    );
  });
});
