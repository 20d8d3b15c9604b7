import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENTRIES_PER_RANGE, JsonTree } from "./json-tree.ts";
import { pathText } from "./path-text.ts";

/** A row, computed naively. */
interface Line {
  readonly path: string;
  readonly isBranch: boolean;
  readonly depth: number;
  readonly value: unknown;
  readonly key: string | number | undefined;
}

type Step = { readonly what: "toggle" | "openAll" | "closeAll"; readonly row: number };

const json = fc.jsonValue({ maxDepth: 5 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ what: fc.constant("toggle" as const), row: fc.nat(30) }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constantFrom("openAll" as const, "closeAll" as const), row: fc.constant(0) }),
    },
  ),
  { maxLength: 12 },
);

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** All lines, expanded or not, computed naively. */
function linesOf(value: unknown, path: (string | number)[] = [], depth = 0): Line[] {
  const line = { path: pathText(path), isBranch: isBranch(value), depth, value, key: path.at(-1) };
  if (!isBranch(value)) return [line];
  const entries = Array.isArray(value) ? value.map((one, at) => [at, one] as const) : Object.entries(value);
  return [line, ...entries.flatMap(([key, child]) => linesOf(child, [...path, key], depth + 1))];
}

/** The lines that are visible with the given rows collapsed. */
function visible(lines: readonly Line[], closed: ReadonlySet<string>): Line[] {
  const shown: Line[] = [];
  let hidden = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (line.depth > hidden) continue;
    hidden = line.isBranch && closed.has(line.path) ? line.depth : Number.POSITIVE_INFINITY;
    if (line.depth > 0 || !line.isBranch) shown.push(line);
  }
  return shown;
}

const all = (tree: JsonTree) => tree.rows(0, tree.rowCount());

describe("a tree shows exactly the expanded rows", () => {
  it("for any content and any expansion", () => {
    fc.assert(
      fc.property(json, steps, (value, list) => {
        const tree = new JsonTree(value);
        const lines = linesOf(value);
        const closed = new Set<string>();
        for (const step of list) {
          if (step.what === "openAll") {
            tree.openAll();
            closed.clear();
          } else if (step.what === "closeAll") {
            tree.closeAll();
            for (const { path, isBranch, depth } of lines) if (isBranch && depth > 0) closed.add(path);
          } else {
            const [row] = tree.rows(step.row, step.row + 1);
            if (!row) continue;
            tree.toggle(row.node);
            if (row.kind === "string" || row.isOpen === undefined) continue;
            if (!closed.delete(row.path)) closed.add(row.path);
          }
        }
        const rows = all(tree);
        const wanted = visible(lines, closed);
        expect(rows.map(({ path, depth, key }) => ({ path, depth, key }))).toEqual(
          wanted.map(({ path, depth, key }) => ({ path, depth: Math.max(1, depth), key })),
        );
        rows.forEach((row, at) => {
          expect(JSON.parse(tree.json(row.node))).toEqual(JSON.parse(JSON.stringify(wanted[at]?.value)));
          const parent = rows[row.parent];
          if (parent) expect(row.path.startsWith(parent.path)).toBe(true);
          else expect(row.depth).toBe(1);
        });
      }),
    );
  });

  it("a leaf or an empty branch is one row", () => {
    for (const value of [1, "text", null, true, {}, []]) expect(all(new JsonTree(value))).toHaveLength(1);
  });

  it("each row has its position among its siblings", () => {
    const rows = all(new JsonTree({ a: 1, b: [true, false] }));
    expect(rows.map(({ position, siblings }) => `${position}/${siblings}`)).toEqual(["1/2", "2/2", "1/2", "2/2"]);
  });

  it("supports very deep nesting", () => {
    let value: unknown = "deep down";
    for (let n = 0; n < 20_000; n++) value = [value];
    const tree = new JsonTree(value);
    expect(tree.find("deep down")).toBe(1);
    const { row, rows } = tree.reveal(0);
    expect(rows).toBe(20_000);
    expect(tree.rows(row, row + 1)[0]?.text).toBe("deep down");
  });
});

describe("a search equals a naive search", () => {
  const words = fc.constantFrom("a", "B", "ab", "basil", "Basil ", "1", "true", "null", ".", "\\");
  const value = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: "small" }, tie("leaf"), tie("list"), tie("object")),
    leaf: fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)),
    list: fc.array(tie("node")),
    object: fc.dictionary(words, tie("node")),
  })).node;

  it("in names and values, collapsed or not, in order", () => {
    fc.assert(
      fc.property(value, words, (value, query) => {
        const tree = new JsonTree(value);
        tree.closeAll();
        const has = (text: unknown) => String(text).toLowerCase().includes(query.toLowerCase());
        const wanted = linesOf(value).filter(
          ({ key, value }) =>
            (typeof key === "string" && has(key)) || ((typeof value !== "object" || value === null) && has(value)),
        );
        expect(tree.find(query)).toBe(wanted.length);
        const found = wanted.map((_, match) => {
          const { row } = tree.reveal(match);
          return tree.rows(row, row + 1)[0]?.path;
        });
        expect(found).toEqual(wanted.map(({ path }) => path));
      }),
    );
  });

  it("an empty search has no matches", () => {
    expect(new JsonTree({ a: "" }).find("")).toBe(0);
  });

  it("finds the first match from a row on, and wraps around", () => {
    const tree = new JsonTree(["x", "y", "x", "y"]);
    tree.find("x");
    expect([0, 1, 2, 3].map((row) => tree.matchFrom(row))).toEqual([0, 1, 1, 0]);
  });
});

describe("very long values are shown in parts", () => {
  it("a long list in ranges, whose entries keep their paths", () => {
    const list = Array.from({ length: 2 * ENTRIES_PER_RANGE + 5 }, (_, n) => n);
    const tree = new JsonTree({ list });
    tree.closeAll();
    tree.toggle(all(tree)[0]?.node as number);
    expect(all(tree).map(({ text, size }) => [text, size])).toEqual([
      ["", list.length],
      ["0 … 999", 1_000],
      ["1000 … 1999", 1_000],
      ["2000 … 2004", 5],
    ]);
    expect(tree.find("2003")).toBe(1);
    const { row } = tree.reveal(0);
    expect(tree.rows(row, row + 1)[0]).toMatchObject({ path: "$.list[2003]", key: 2003, position: 4, siblings: 5 });
  });

  it("also a list of a million entries", () => {
    const tree = new JsonTree(Array.from({ length: 1_000_001 }, () => 0));
    expect(tree.rowCount()).toBe(1_001);
    expect(tree.openAll()).toBe(1_001);
  });

  it("an object with many fields in ranges of names", () => {
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`f${n}`, n]));
    expect(all(new JsonTree(many)).map(({ text }) => text)).toEqual(["f0 … f999", "f1000 … f1499"]);
  });

  it("a long string is expanded in a small payload, cut when collapsed, and complete on request", () => {
    const text = "pizza ".repeat(100);
    const tree = new JsonTree({ text });
    const [row] = all(tree);
    expect(row).toMatchObject({ isOpen: true, text, size: 600 });
    tree.toggle(row?.node as number);
    expect(all(tree)[0]?.text.length).toBeLessThan(200);
    expect(tree.text(row?.node as number)).toBe(text);
  });

  it("a collapsed branch shows a preview", () => {
    const tree = new JsonTree({ pizza: { name: "Margherita", toppings: ["basil"], price: 9 } });
    tree.closeAll();
    expect(all(tree)[0]?.text).toBe('name: "Margherita", toppings: […], price: 9');
  });
});

describe("a path is formatted as JSONPath", () => {
  it("with quoted names where necessary", () => {
    expect(pathText(["toppings", 0, "grams per slice", 'a"b', "größe"])).toBe(
      '$.toppings[0]["grams per slice"]["a\\"b"].größe',
    );
    expect(pathText([])).toBe("$");
  });
});
