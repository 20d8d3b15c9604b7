import type { RJSFSchema } from "@rjsf/utils";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { errorSchemaOf, issuesOf, schemaValidator } from "./schema-validator.ts";

/** What the server tells of a type. */
const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: "input" }) as RJSFSchema;

const pizza = schemaOf(
  z.object({
    name: z.string().min(3),
    size: z.object({ cm: z.int().min(10).max(60) }),
    toppings: z.array(z.object({ "a/b.c": z.string() })).max(2),
    crust: z.enum(["thin", "thick"]).optional(),
  }),
);

const good = { name: "Margherita", size: { cm: 32 }, toppings: [] };

describe("a form says at each field what is wrong with it", () => {
  it("nothing, when nothing is", () => {
    expect(issuesOf(pizza, good)).toEqual([]);
  });

  it("a missing field is said at the field, not at its parent", () => {
    expect(issuesOf(pizza, { size: {}, toppings: [] })).toEqual([
      { path: ["name"], message: "is required" },
      { path: ["size", "cm"], message: "is required" },
    ]);
  });

  it.for([
    [{ name: "ab" }, ["name"], "must have at least 3 characters"],
    [{ size: { cm: 9 } }, ["size", "cm"], "must be at least 10"],
    [{ size: { cm: 61 } }, ["size", "cm"], "must be at most 60"],
    [{ size: { cm: "big" } }, ["size", "cm"], "must be integer"],
    [{ crust: "none" }, ["crust"], 'must be one of "thin", "thick"'],
    [{ toppings: [1, 2, 3].map(() => ({ "a/b.c": "x" })) }, ["toppings"], "must have at most 2 entries"],
  ] as const)("%j", ([change, path, message]) => {
    expect(issuesOf(pizza, { ...good, ...change })).toEqual([{ path, message }]);
  });

  it("fields of list entries, whatever the field's name", () => {
    const data = { ...good, toppings: [{ "a/b.c": "basil" }, {}] };
    expect(issuesOf(pizza, data)).toEqual([{ path: ["toppings", "1", "a/b.c"], message: "is required" }]);
  });

  it("a field that the form left undefined is a missing one", () => {
    expect(issuesOf(pizza, { ...good, name: undefined })).toEqual([{ path: ["name"], message: "is required" }]);
  });

  it("an entry of a list that was left empty is missing, not of a wrong kind", () => {
    const schema = schemaOf(z.object({ tags: z.array(z.string()) }));
    expect(issuesOf(schema, { tags: ["a", undefined] })).toEqual([{ path: ["tags", "1"], message: "is required" }]);
  });

  it("a format is named, and the pattern behind it is not", () => {
    const schema = schemaOf(z.object({ mail: z.email(), code: z.string().regex(/^[A-Z]+$/) }));
    expect(issuesOf(schema, { mail: "nobody", code: "abc" })).toEqual([
      { path: ["mail"], message: "must be a valid email" },
      { path: ["code"], message: "must match ^[A-Z]+$" },
    ]);
  });

  it("limits behind a reference", () => {
    const schema = {
      $defs: { Size: { type: "integer" as const, minimum: 10 } },
      properties: { size: { $ref: "#/$defs/Size" } },
    };
    expect(issuesOf(schema, { size: 1 })).toEqual([{ path: ["size"], message: "must be at least 10" }]);
  });

  it("of alternatives, only the one that the value's kind fits is spoken of", () => {
    const schema = schemaOf(z.object({ note: z.string().min(3).nullable() }));
    expect(issuesOf(schema, { note: "ab" })).toEqual([{ path: ["note"], message: "must have at least 3 characters" }]);
    expect(issuesOf(schema, { note: 7 })).toEqual([{ path: ["note"], message: "must match one of the alternatives" }]);
  });

  it("of a discriminated union, only the one that its mark names", () => {
    const schema = schemaOf(
      z.object({
        drink: z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("wine"), year: z.int() }),
          z.object({ kind: z.literal("beer"), litres: z.number() }),
        ]),
      }),
    );
    expect(issuesOf(schema, { drink: { kind: "wine" } })).toEqual([
      { path: ["drink", "year"], message: "is required" },
    ]);
  });
});

describe("the form library's questions are answered without compiling code", () => {
  it("its errors stand where the fields stand", () => {
    const { errors, errorSchema } = schemaValidator.validateFormData({ toppings: [] }, pizza);
    expect(errors).toHaveLength(2);
    expect(errorSchema).toEqual({ name: { __errors: ["is required"] }, size: { __errors: ["is required"] } });
  });

  it("a part of a schema is judged with what it refers to in the whole", () => {
    const topping = z.object({ name: z.string() }).meta({ id: "Topping" });
    const root = schemaOf(z.object({ first: topping, second: topping }));
    const part = { $ref: "#/$defs/Topping" };
    expect(schemaValidator.isValid(part, { name: "basil" }, root)).toBe(true);
    expect(schemaValidator.isValid(part, { name: 1 }, root)).toBe(false);
    expect(schemaValidator.validateFormData({ first: { name: "a" }, second: {} }, root).errorSchema).toEqual({
      second: { name: { __errors: ["is required"] } },
    });
    expect(schemaValidator.isValid(part, { name: "basil" }, root)).toBe(true);
  });

  it("a schema that contains itself", () => {
    const tree = z.object({
      name: z.string(),
      get children() {
        return z.array(tree);
      },
    });
    const root = schemaOf(tree);
    expect(issuesOf(root, { name: "a", children: [{ name: "b", children: [{}] }] })).toContainEqual({
      path: ["children", "0", "children", "0", "name"],
      message: "is required",
    });
    expect(schemaValidator.isValid({ $ref: "#" }, { name: "a", children: [] }, root)).toBe(true);
    expect(schemaValidator.isValid({ $ref: "#" }, { name: "a" }, root)).toBe(false);
  });

  it("nothing is not valid, and not an exception either", () => {
    expect(schemaValidator.isValid(pizza, undefined, pizza)).toBe(false);
  });
});

describe("the server's issues become errors of fields", () => {
  it("several at one field stay together, and those of no field stand at the top", () => {
    const issues = [
      { path: ["toppings", 0, "name"], message: "too short" },
      { path: ["toppings", 0, "name"], message: "not a topping" },
      { path: [], message: "too many calories" },
    ];
    expect(errorSchemaOf(issues)).toEqual({
      toppings: { 0: { name: { __errors: ["too short", "not a topping"] } } },
      __errors: ["too many calories"],
    });
  });
});
