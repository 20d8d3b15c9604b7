import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { align } from "./align.ts";
import { JsonDiff } from "./json-diff.ts";
import { Sameness } from "./node-kind.ts";

const json = fc.jsonValue({ maxDepth: 4 });

/** The changes: `+ path` for an addition, `- path` for a removal and `~ path` for a change. */
function changesOf(left: unknown, right: unknown): string[] {
  const diff = new JsonDiff(left, right);
  const signs: Record<string, string> = { added: "+", removed: "-", changed: "~" };
  return Array.from({ length: diff.changes }, (_, n) => {
    const { row } = diff.reveal(n);
    const [shown] = diff.rows(row, row + 1);
    return `${signs[shown?.change ?? ""]} ${shown?.path}`;
  });
}

describe("a comparison shows the differences only", () => {
  it("equal payloads have no changes, with any order of fields", () => {
    fc.assert(
      fc.property(json, (value) => {
        const copy = JSON.parse(JSON.stringify(value, (_, one) => reversed(one)));
        expect(new JsonDiff(value, copy).changes).toBe(0);
      }),
    );
  });

  it("payloads without changes are equal, and the reverse comparison has the same number of changes", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const there = new JsonDiff(a, b);
        const same = new Sameness();
        expect(there.changes === 0).toBe(same.of(a) === same.of(b));
      }),
    );
  });

  it("each change is reachable, and its row has the old and the new value", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const diff = new JsonDiff(a, b);
        for (let n = 0; n < diff.changes; n++) {
          const { row, rows } = diff.reveal(n);
          expect(rows).toBe(diff.rowCount());
          const [shown] = diff.rows(row, row + 1);
          expect(["added", "removed", "changed"]).toContain(shown?.change);
          expect(shown?.left === undefined).toBe(shown?.change === "added");
          expect(shown?.right === undefined).toBe(shown?.change === "removed");
          expect(diff.changeFrom(row)).toBe(n);
        }
      }),
    );
  });

  it("added, removed and changed fields", () => {
    expect(
      changesOf({ name: "Margherita", price: 9, crust: "thin" }, { name: "Marinara", crust: "thin", vegan: true }),
    ).toEqual(["~ $.name", "- $.price", "+ $.vegan"]);
  });

  it("a change of type is one change, regardless of the content", () => {
    expect(changesOf({ a: { b: 1, c: 2 } }, { a: [1, 2] })).toEqual(["~ $.a"]);
  });

  it("equal values fold into one row, which expands", () => {
    const diff = new JsonDiff({ a: 1, b: 2, c: 3, d: 4 }, { a: 1, b: 2, c: 3, d: 5 });
    const [fold] = diff.rows(0, 1);
    expect(fold).toMatchObject({ folded: 3, isOpen: false });
    expect(diff.rowCount()).toBe(2);
    expect(diff.toggle(fold?.node as number)).toBe(5);
    expect(diff.rows(0, 9).map(({ path, depth }) => [path, depth])).toEqual([
      ["$", 1],
      ["$.a", 1],
      ["$.b", 1],
      ["$.c", 1],
      ["$.d", 1],
    ]);
  });
});

describe("rows have the index of their parent row", () => {
  it("after any expansion; outermost rows have none", () => {
    const diff = new JsonDiff({ a: { b: [1], c: 2 }, d: 0 }, { a: { b: [1, { e: 3 }], c: 2 }, d: 0 });
    const rows = diff.rows(0, diff.rowCount());
    expect(rows.map(({ path, parent }) => [path, parent < 0 ? "none" : rows[parent]?.path])).toEqual([
      ["$.a", "none"],
      ["$.a.b", "$.a"],
      ["$.a.b[0]", "$.a.b"],
      ["$.a.b[1]", "$.a.b"],
      ["$.a.b[1].e", "$.a.b[1]"],
      ["$.a.c", "$.a"],
      ["$.d", "none"],
    ]);
  });
});

describe("comparison of lists", () => {
  it("an entry inserted at the start changes no other", () => {
    expect(changesOf([1, 2, 3], [0, 1, 2, 3])).toEqual(["+ $[0]"]);
  });

  it("matches a changed entry by its name", () => {
    const before = [{ name: "basil", grams: 5 }, { name: "oil" }];
    const after = [{ name: "olives" }, { name: "basil", grams: 7 }, { name: "oil" }];
    expect(changesOf(before, after)).toEqual(["+ $[0]", "~ $[1].grams"]);
  });

  it("matches entries without a name by index", () => {
    expect(changesOf(["a", "b", "c"], ["a", "x", "c"])).toEqual(["~ $[1]"]);
  });

  it("keeps each entry once and in order on both sides", () => {
    const entries = fc.array(
      fc.oneof(fc.nat(4), fc.record({ id: fc.nat(3), v: fc.nat(2) }), fc.constant(null), fc.array(fc.nat(1))),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(entries, entries, (left, right) => {
        const same = new Sameness();
        const pairs = align(left, right, (value) => same.of(value));
        expect(pairs.flatMap((pair) => ("left" in pair ? [pair.left] : []))).toEqual(left.map((_, at) => at));
        expect(pairs.flatMap((pair) => ("right" in pair ? [pair.right] : []))).toEqual(right.map((_, at) => at));
      }),
    );
  });

  it("compares lists without common entries", () => {
    const many = (n: number) => Array.from({ length: 5_000 }, (_, at) => at * 2 + n);
    expect(new JsonDiff(many(0), many(1)).changes).toBe(5_000);
  });
});

function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).reverse());
}
