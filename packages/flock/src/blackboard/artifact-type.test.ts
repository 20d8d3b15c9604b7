import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { FlockError } from "../core/errors.ts";
import { artifact } from "./artifact-type.ts";

const date = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (at) => at.toISOString(),
});
const tally = z.codec(z.array(z.tuple([z.string(), z.number()])), z.map(z.string(), z.number()), {
  decode: (entries) => new Map(entries),
  encode: (map) => [...map],
});

const Anything = artifact("Anything", z.unknown());

function errorOf(work: () => unknown): FlockError {
  try {
    work();
  } catch (error) {
    if (error instanceof FlockError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a draft", () => {
  it("is frozen deeply, and a copy of what it was made of", () => {
    const Tree = artifact("Tree", z.object({ leaves: z.array(z.object({ n: z.number() })), rest: z.unknown() }));
    const rest = { mutable: [1] };
    const draft = Tree({ leaves: [{ n: 1 }], rest });
    rest.mutable.push(2);
    expect(draft.payload).toEqual({ leaves: [{ n: 1 }], rest: { mutable: [1] } });
    expect(() => draft.payload.leaves.push({ n: 2 })).toThrow(TypeError);
    expect(() => Object.assign(draft.payload.leaves[0]!, { n: 3 })).toThrow(TypeError);
    expect(() => Object.assign(draft, { payload: 1 })).toThrow(TypeError);
  });

  it("has the payload that JSON returns, for any value that JSON accepts", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { payload, stored } = Anything(value);
        expect(stored).toBe(payload);
        expect(payload).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("has the payload that JSON returns, or is refused, for any value at all", () => {
    const parts = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withObjectString: true,
    });
    fc.assert(
      fc.property(parts, (value) => {
        let payload: unknown;
        try {
          ({ payload } = Anything(value));
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid_payload", issues: [{ path: expect.any(Array) }] });
          return;
        }
        expect(JSON.parse(JSON.stringify(payload))).toStrictEqual(payload);
      }),
    );
  });

  it("keeps a property called __proto__", () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}');
    expect(JSON.stringify(Anything(value).stored)).toBe('{"__proto__":{"admin":true}}');
    expect((Anything(value).payload as { admin?: boolean }).admin).toBeUndefined();
  });

  class Point {
    x = 1;
  }
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  it.each<[string, unknown, (string | number)[], RegExp]>([
    ["a Map", { a: [new Map()] }, ["a", 0], /a Map does not survive JSON/],
    ["a Set", new Set([1]), [], /a Set does not survive JSON/],
    ["a typed array", { a: new Uint8Array(2) }, ["a"], /a Uint8Array/],
    ["a Date", { a: { b: new Date() } }, ["a", "b"], /a Date does not survive JSON.*z\.codec/],
    ["an instance of a class", [new Point()], [0], /a Point/],
    ["NaN", { a: Number.NaN }, ["a"], /`NaN` is not a JSON number/],
    ["Infinity", { a: [1, Number.POSITIVE_INFINITY] }, ["a", 1], /`Infinity`/],
    ["a function", { a: () => 1 }, ["a"], /a function/],
    ["a symbol", { a: Symbol("s") }, ["a"], /a symbol/],
    ["a bigint", { a: 1n }, ["a"], /a bigint/],
    ["undefined in an array", { a: [undefined] }, ["a", 0], /becomes `null`/],
    ["a cycle", circle, ["self"], /contains itself/],
    ["a promise", Promise.resolve(1), [], /a Promise/],
    ["undefined", undefined, [], /it is `undefined`/],
  ])("refuses %s, with its path", (_what, payload, path, message) => {
    const error = errorOf(() => Anything(payload));
    expect(error).toMatchObject({ code: "invalid_payload", issues: [{ path }] });
    expect(error.message).toMatch(message);
  });

  it("refuses what is nested deeper than the server accepts", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i++) deep = [deep];
    expect(errorOf(() => Anything(deep)).message).toMatch(/deeper than 128 levels/);
  });

  it("leaves out properties that are undefined, as JSON does", () => {
    expect(Object.keys(Anything({ a: undefined, b: 1 }).payload as object)).toEqual(["b"]);
  });
});

describe("a type with codecs", () => {
  const Visit = artifact("Visit", z.object({ at: date, pages: tally, n: z.number().default(1) }));
  const stored = { at: "2026-01-02T03:04:05.000Z", pages: [["/", 2]] as [string, number][], n: 1 };

  it("stores JSON, and gives code the decoded payload", () => {
    const draft = Visit({ at: "2026-01-02T03:04:05Z", pages: [["/", 2]] });
    expect(draft.stored).toEqual(stored);
    expect(draft.payload).toEqual({ at: new Date(stored.at), pages: new Map([["/", 2]]), n: 1 });
    expect(Visit.decode(draft.stored)).toEqual(draft.payload);
    expectTypeOf(draft.payload.at).toEqualTypeOf<Date>();
  });

  it("protects decoded dates, maps and sets from changes", () => {
    const { at, pages } = Visit(stored).payload;
    expect(() => at.setFullYear(1)).toThrow(TypeError);
    expect(() => pages.set("/", 3)).toThrow(TypeError);
    expect(() => pages.clear()).toThrow(TypeError);
    expect(at.toISOString()).toBe(stored.at);
  });

  it("stores the JSON before a transformation that has no way back", () => {
    const Size = artifact("Size", z.object({ n: z.string().transform(Number), at: z.coerce.date() }));
    const draft = Size({ n: "3", at: "2026-01-01" });
    expect(draft.payload).toEqual({ n: 3, at: new Date("2026-01-01") });
    expect(draft.stored).toEqual({ n: "3", at: "2026-01-01" });
    expect(Size.decode(draft.stored)).toEqual(draft.payload);
  });
});

describe("artifact()", () => {
  it.each<[string, z.ZodType, RegExp]>([
    ["z.date()", z.object({ a: z.array(z.date()) }), /`z\.date\(\)` at `a\.\[\]`.*z\.codec\(z\.iso\.datetime\(\)/],
    ["z.bigint()", z.object({ n: z.bigint().optional() }), /`z\.bigint\(\)` at `n`.*z\.codec\(/],
    ["z.map()", z.map(z.string(), z.number()), /`z\.map\(\)` takes values.*z\.codec\(/],
    ["z.set()", z.object({ s: z.set(z.string()).default(new Set()) }), /`z\.set\(\)` at `s`/],
    ["z.nan()", z.union([z.number(), z.nan()]), /`z\.nan\(\)`/],
    ["z.date() next to a codec for it", z.object({ a: date, b: date.out }), /`z\.date\(\)` at `b`/],
  ])("refuses %s, and names the codec to use", (_what, schema, message) => {
    const error = errorOf(() => artifact("A", schema));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toMatch(message);
  });

  it("accepts a date behind a codec, a coercion or a preprocessor, and recursive schemas", () => {
    const node = z.object({
      at: date,
      get children() {
        return z.array(node);
      },
    });
    const draft = artifact("Node", node)({ at: "2026-01-01T00:00:00Z", children: [] });
    expect(draft.payload.at).toEqual(new Date("2026-01-01"));
    artifact(
      "Pre",
      z.preprocess((value) => new Date(value as string), z.date()),
    );
    artifact("Coerced", z.coerce.bigint());
    const Later = artifact("Later", z.object({ later: z.lazy(() => later) }));
    const later = z.object({ at: date });
    expect(Later({ later: { at: "2026-01-01T00:00:00Z" } }).stored).toEqual({
      later: { at: "2026-01-01T00:00:00.000Z" },
    });
  });

  it.each<[string, unknown, RegExp]>([
    ["no schema", undefined, /it is missing\. Pass a Zod schema/],
    ["the fields alone", { n: z.number() }, /not a Zod schema\. Wrap the fields: `z\.object/],
    ["a schema of Zod 3", { _def: { typeName: "ZodObject" }, parse: () => 1 }, /Zod 3\. Create it with Zod 4/],
    ["another library's schema", { "~standard": { vendor: "valibot" } }, /a schema of `valibot`/],
    ["a text", "string", /it is a string/],
  ])("refuses %s with a sentence", (_what, schema, message) => {
    const error = errorOf(() => artifact("A", schema as z.ZodType));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toMatch(/^Invalid schema of artifact type `A`: /);
    expect(error.message).toMatch(message);
  });

  it("names the type when its refinement turns out to be asynchronous", () => {
    const Checked = artifact(
      "Checked",
      z.string().refine(async () => true),
    );
    const error = errorOf(() => Checked("x"));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toMatch(/artifact type `Checked`: it has an asynchronous refinement/);
  });
});

describe("upgrade", () => {
  const Name = artifact("Name", z.object({ first: z.string(), last: z.string() }), {
    upgrade: ({ name }: { name: string }) => {
      const [first = "", last = ""] = name.split(" ");
      return { first, last };
    },
  });

  it("receives a stored payload that does not fit the schema, and is not asked about others", () => {
    expect(Name.decode({ name: "Ada Lovelace" })).toEqual({ first: "Ada", last: "Lovelace" });
    expect(Name.decode({ first: "A", last: "B" })).toEqual({ first: "A", last: "B" });
  });

  it("does not apply to what is published", () => {
    expect(errorOf(() => Name.parse({ name: "Ada Lovelace" })).code).toBe("invalid_payload");
  });

  it("reports its own failure as an invalid payload", () => {
    expect(errorOf(() => Name.decode({}))).toMatchObject({
      code: "invalid_payload",
      message: expect.stringMatching(/^Invalid payload of `Name`: its `upgrade` failed: /),
    });
  });
});
