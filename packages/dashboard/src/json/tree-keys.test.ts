import { describe, expect, it } from "vitest";
import { JsonTree } from "./json-tree.ts";
import { moveOf, TypedName } from "./tree-keys.ts";

const tree = new JsonTree({ name: "Margherita", toppings: ["basil", "oil"], story: "x".repeat(500) });

/** The action of a key on a row. */
function pressed(key: string, at: number, ctrlKey = false) {
  const event = { key, ctrlKey, metaKey: false, altKey: false };
  return moveOf(event, tree.rows(at, at + 1)[0], at, tree.rowCount(), 3);
}

describe("keys follow the ARIA pattern for trees", () => {
  it.for([
    ["ArrowDown", 0, { do: "go", row: 1 }],
    ["ArrowUp", 0, { do: "go", row: 0 }],
    ["End", 0, { do: "go", row: 4 }],
    ["Home", 3, { do: "go", row: 0 }],
    ["PageDown", 0, { do: "go", row: 3 }],
    ["PageUp", 4, { do: "go", row: 1 }],
    ["ArrowRight", 1, { do: "go", row: 2 }],
    ["ArrowLeft", 1, { do: "toggle" }],
    ["ArrowLeft", 3, { do: "go", row: 1 }],
    ["ArrowRight", 0, undefined],
    ["ArrowLeft", 0, undefined],
    ["Enter", 1, { do: "toggle" }],
    ["Enter", 4, { do: "read" }],
    [" ", 4, { do: "toggle" }],
    ["*", 0, { do: "openAll" }],
    ["/", 0, { do: "find" }],
    ["a", 0, { do: "seek", text: "a" }],
    ["é", 0, { do: "seek", text: "é" }],
    ["?", 0, undefined],
    ["F2", 0, undefined],
  ] as const)("%s on row %i", ([key, row, move]) => {
    expect(pressed(key, row)).toEqual(move);
  });

  it("leaves browser shortcuts alone, except for the search", () => {
    expect(pressed("f", 0, true)).toEqual({ do: "find" });
    expect(pressed("ArrowDown", 0, true)).toBeUndefined();
    expect(pressed("c", 0, true)).toBeUndefined();
  });
});

describe("typing the start of a name", () => {
  it("joins letters typed quickly, and cycles on a repeated letter", () => {
    const typed = new TypedName();
    expect(typed.add("t", 0)).toEqual({ text: "t", isSame: false });
    expect(typed.add("o", 300)).toEqual({ text: "to", isSame: true });
    expect(typed.add("s", 2_000)).toEqual({ text: "s", isSame: false });
    expect(typed.add("s", 2_100)).toEqual({ text: "s", isSame: false });
  });

  it("searches from the current row, and wraps around", () => {
    expect(tree.named("TOP", 0)).toBe(1);
    expect(tree.named("n", 1)).toBe(0);
    expect(tree.named("1", 0)).toBe(3);
    expect(tree.named("pineapple", 0)).toBe(-1);
    expect(new JsonTree("just text").named("j", 0)).toBe(-1);
  });
});
