import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { align } from "./align.ts";
import { JsonDiff } from "./json-diff.ts";
import { Sameness } from "./node-kind.ts";

const json = fc.jsonValue({ maxDepth: 4 });

/** The changes, as `+ path` for what is new, `- path` for what is gone and `~ path` for what is another. */
function told(left: unknown, right: unknown): string[] {
  const diff = new JsonDiff(left, right);
  const signs: Record<string, string> = { added: "+", removed: "-", changed: "~" };
  return Array.from({ length: diff.changes }, (_, n) => {
    const { row } = diff.reveal(n);
    const [shown] = diff.rows(row, row + 1);
    return `${signs[shown?.change ?? ""]} ${shown?.path}`;
  });
}

describe("a comparison tells what is different, and nothing else", () => {
  it("equal payloads have no changes, whatever the order of their fields", () => {
    fc.assert(
      fc.property(json, (value) => {
        const copy = JSON.parse(JSON.stringify(value, (_, one) => reversed(one)));
        expect(new JsonDiff(value, copy).changes).toBe(0);
      }),
    );
  });

  it("payloads with no changes are equal; and back again there are as many changes as there", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const there = new JsonDiff(a, b);
        const same = new Sameness();
        expect(there.changes === 0).toBe(same.of(a) === same.of(b));
      }),
    );
  });

  it("each change can be come to, and its row says what was and what is", () => {
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

  it("fields that are new, gone and another", () => {
    expect(
      told({ name: "Margherita", price: 9, crust: "thin" }, { name: "Marinara", crust: "thin", vegan: true }),
    ).toEqual(["~ $.name", "- $.price", "+ $.vegan"]);
  });

  it("another kind of value is one change, however much is in it", () => {
    expect(told({ a: { b: 1, c: 2 } }, { a: [1, 2] })).toEqual(["~ $.a"]);
  });

  it("what is equal is one row, and opens", () => {
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

describe("the rows of a comparison know the row that they are in", () => {
  it("whatever has been opened; what is outermost is in none", () => {
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

describe("lists are compared as people would", () => {
  it("an entry that was put in front changes none of the others", () => {
    expect(told([1, 2, 3], [0, 1, 2, 3])).toEqual(["+ $[0]"]);
  });

  it("an entry with the same name is the same entry, changed", () => {
    const before = [{ name: "basil", grams: 5 }, { name: "oil" }];
    const after = [{ name: "olives" }, { name: "basil", grams: 7 }, { name: "oil" }];
    expect(told(before, after)).toEqual(["+ $[0]", "~ $[1].grams"]);
  });

  it("what has no name is compared in its place", () => {
    expect(told(["a", "b", "c"], ["a", "x", "c"])).toEqual(["~ $[1]"]);
  });

  it("no entry is lost, none twice, and the order stays on both sides", () => {
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

  it("lists that have nothing in common are compared all the same", () => {
    const many = (n: number) => Array.from({ length: 5_000 }, (_, at) => at * 2 + n);
    expect(new JsonDiff(many(0), many(1)).changes).toBe(5_000);
  });
});

function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).reverse());
}
