import type { RJSFSchema } from "@rjsf/utils";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { errorSchemaOf, issuesOf, schemaValidator } from "./schema-validator.ts";

/** The issues as the server returns them. */
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

describe("reports errors at their fields", () => {
  it("reports nothing for valid data", () => {
    expect(issuesOf(pizza, good)).toEqual([]);
  });

  it("reports a missing field at the field, not at its parent", () => {
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

  it("reports fields of list entries with any name", () => {
    const data = { ...good, toppings: [{ "a/b.c": "basil" }, {}] };
    expect(issuesOf(pizza, data)).toEqual([{ path: ["toppings", "1", "a/b.c"], message: "is required" }]);
  });

  it("treats an undefined field as missing", () => {
    expect(issuesOf(pizza, { ...good, name: undefined })).toEqual([{ path: ["name"], message: "is required" }]);
  });

  it("treats an empty list entry as missing, not as a wrong type", () => {
    const schema = schemaOf(z.object({ tags: z.array(z.string()) }));
    expect(issuesOf(schema, { tags: ["a", undefined] })).toEqual([{ path: ["tags", "1"], message: "is required" }]);
  });

  it("reports a format without its pattern", () => {
    const schema = schemaOf(z.object({ mail: z.email(), code: z.string().regex(/^[A-Z]+$/) }));
    expect(issuesOf(schema, { mail: "ada", code: "abc" })).toEqual([
      { path: ["mail"], message: "must be a valid email" },
      { path: ["code"], message: "must match ^[A-Z]+$" },
    ]);
  });

  it("reports limits behind a reference", () => {
    const schema = {
      $defs: { Size: { type: "integer" as const, minimum: 10 } },
      properties: { size: { $ref: "#/$defs/Size" } },
    };
    expect(issuesOf(schema, { size: 1 })).toEqual([{ path: ["size"], message: "must be at least 10" }]);
  });

  it("reports only errors of the alternative that matches the value's type", () => {
    const schema = schemaOf(z.object({ note: z.string().min(3).nullable() }));
    expect(issuesOf(schema, { note: "ab" })).toEqual([{ path: ["note"], message: "must have at least 3 characters" }]);
    expect(issuesOf(schema, { note: 7 })).toEqual([{ path: ["note"], message: "must match one of the alternatives" }]);
  });

  it("reports only errors of the alternative that the discriminator selects", () => {
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

describe("validates for the form library without compiling code", () => {
  it("returns errors at the paths of their fields", () => {
    const { errors, errorSchema } = schemaValidator.validateFormData({ toppings: [] }, pizza);
    expect(errors).toHaveLength(2);
    expect(errorSchema).toEqual({ name: { __errors: ["is required"] }, size: { __errors: ["is required"] } });
  });

  it("validates a subschema with references into the root", () => {
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

  it("supports recursive schemas", () => {
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

  it("rejects undefined without throwing", () => {
    expect(schemaValidator.isValid(pizza, undefined, pizza)).toBe(false);
  });
});

describe("converts the server's issues to field errors", () => {
  it("groups issues by field, and puts issues without a field at the root", () => {
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
