import type { RJSFSchema } from "@rjsf/utils";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formSchemaOf, isAnything, payloadOf, uiSchemaOf } from "./form-schema.ts";
import { issuesOf } from "./schema-validator.ts";

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: "input" }) as RJSFSchema;

const card = z.object({ kind: z.literal("card"), number: z.string() });
const cash = z.object({ kind: z.literal("cash"), given: z.number() });
const order = schemaOf(z.object({ payment: z.discriminatedUnion("kind", [card, cash]) }));

function optionNames(schema: RJSFSchema, field: string): unknown[] {
  const property = formSchemaOf(schema).properties?.[field] as RJSFSchema;
  return (property.anyOf ?? property.oneOf ?? []).map((option) => (option as RJSFSchema).title);
}

describe("valid values pass through the form unchanged", () => {
  const type = z.object({
    name: z.string(),
    note: z.string().nullable(),
    size: z.union([z.int(), z.enum(["s", "l"])]),
    parts: z.array(z.object({ name: z.string().nullable(), grams: z.number().optional() })),
    extras: z.record(z.string(), z.int()),
    payment: z.discriminatedUnion("kind", [card, cash]).nullable(),
  });
  const text = fc.string();
  const values = fc.record({
    name: text,
    note: fc.option(text),
    size: fc.oneof(fc.integer(), fc.constantFrom("s", "l")),
    parts: fc.array(fc.record({ name: fc.option(text), grams: fc.integer() }, { requiredKeys: ["name"] })),
    extras: fc.dictionary(text, fc.integer()),
    payment: fc.option(fc.record({ kind: fc.constant("card" as const), number: text })),
  });

  it("and are valid in the form too", () => {
    const schema = schemaOf(type);
    fc.assert(
      fc.property(values, (value) => {
        expect(type.safeParse(value).success).toBe(true);
        expect(payloadOf(schema, value)).toEqual(value);
        expect(issuesOf(schema, payloadOf(schema, value))).toEqual([]);
      }),
    );
  });
});

describe("alternatives have distinguishing names", () => {
  it("the discriminator of a union", () => {
    expect(optionNames(order, "payment")).toEqual(["card", "cash"]);
  });

  it("the type of the value", () => {
    expect(optionNames(schemaOf(z.object({ size: z.union([z.string(), z.array(z.int())]) })), "size")).toEqual([
      "text",
      "list",
    ]);
  });

  it("the name of a definition", () => {
    const topping = z.object({ name: z.string() }).meta({ id: "Topping" });
    expect(optionNames(schemaOf(z.object({ extra: z.union([topping, z.array(topping)]) })), "extra")).toEqual([
      "Topping",
      "list",
    ]);
  });

  it("a given title is kept", () => {
    const named = z.union([z.string().meta({ title: "In words" }), z.object({ stars: z.int() })]);
    expect(optionNames(schemaOf(z.object({ rating: named })), "rating")).toEqual(["In words", "object"]);
  });

  it("the rest of the schema is unchanged, including a field named like a keyword", () => {
    const plain = schemaOf(z.object({ anyOf: z.string(), enum: z.enum(["a", "b"]), size: z.object({ cm: z.int() }) }));
    const { $schema: _dialect, ...rest } = plain;
    expect(formSchemaOf(plain)).toEqual(rest);
  });
});

describe("values other than objects have a form", () => {
  it("with one named field", () => {
    expect(formSchemaOf(schemaOf(z.enum(["now", "later"])))).toMatchObject({ title: "Value", enum: ["now", "later"] });
    expect(formSchemaOf(schemaOf(z.boolean().meta({ title: "Approve?" })))).toMatchObject({ title: "Approve?" });
  });

  it("unless the schema accepts any value", () => {
    expect(isAnything(schemaOf(z.any()))).toBe(true);
    for (const type of [z.string(), z.object({}), z.union([z.string(), z.int()]), z.literal(1)])
      expect(isAnything(schemaOf(type))).toBe(false);
  });
});

describe("a tuple has a fixed number of fields", () => {
  it("unless it allows further items", () => {
    const schema = schemaOf(
      z.object({ pair: z.tuple([z.string(), z.int()]), rest: z.tuple([z.string()], z.boolean()) }),
    );
    const { pair, rest } = formSchemaOf(schema).properties as Record<string, RJSFSchema>;
    expect(pair).toMatchObject({ items: [{ type: "string" }, { type: "integer" }], additionalItems: false });
    expect(rest).toMatchObject({ items: [{ type: "string" }], additionalItems: { type: "boolean" } });
  });
});

describe("a nullable field may be left empty", () => {
  const type = z.object({
    name: z.string().nullable(),
    mail: z.email().nullable(),
    nick: z.string().nullable().optional(),
    children: z.array(z.object({ name: z.string().nullable() })),
    parent: z.object({ mail: z.email().nullable() }).nullable(),
  });
  const schema = schemaOf(type);

  it("the form shows the value's field as optional", () => {
    const { properties, required } = formSchemaOf(schema);
    expect(properties).toMatchObject({ name: { type: "string" }, mail: { type: "string", format: "email" } });
    expect(required).toEqual(["children"]);
  });

  it("empty required fields become null in the payload, at any depth", () => {
    const payload = payloadOf(schema, { children: [{}, { name: "Bo" }], parent: {} });
    expect(payload).toEqual({
      name: null,
      mail: null,
      children: [{ name: null }, { name: "Bo" }],
      parent: { mail: null },
    });
    expect(type.safeParse(payload).success).toBe(true);
  });

  it("filled fields are unchanged", () => {
    const data = { name: "Al", mail: "al@flock.test", nick: "A", children: [], parent: null };
    expect(payloadOf(schema, data)).toEqual(data);
  });
});

describe("each field has a fitting control", () => {
  it("long texts have a text area, at any depth", () => {
    const schema = schemaOf(
      z.object({ body: z.string(), name: z.string(), parts: z.array(z.object({ text: z.string() })) }),
    );
    expect(uiSchemaOf(schema)).toEqual({
      body: { "ui:widget": "textarea" },
      name: {},
      parts: { items: { text: { "ui:widget": "textarea" } } },
    });
  });

  it("choices and formatted strings are not long texts", () => {
    const schema = schemaOf(z.object({ content: z.enum(["a", "b"]), context: z.url() }));
    expect(uiSchemaOf(schema)).toEqual({ content: {}, context: {} });
  });

  it("constants are hidden", () => {
    expect(uiSchemaOf(order)).toEqual({
      payment: {
        oneOf: [
          { "ui:label": false, kind: { "ui:widget": "hidden" }, number: {} },
          { "ui:label": false, kind: { "ui:widget": "hidden" }, given: {} },
        ],
      },
    });
  });
});
