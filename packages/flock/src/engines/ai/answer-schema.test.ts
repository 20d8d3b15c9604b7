import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../../blackboard/artifact-type.ts";
import { draftsOf } from "./answer.ts";
import { answerSchemaOf } from "./answer-schema.ts";

const schemaOf = (schema: z.ZodType) => answerSchemaOf([artifact("Thing", schema)]);

describe("answer schema", () => {
  it("equals the payload's schema when that is an object", () => {
    const answer = schemaOf(z.object({ a: z.string() }));
    expect(answer.single?.typeName).toBe("Thing");
    expect(answer).toMatchObject({
      name: "Thing",
      jsonSchema: { type: "object", required: ["a"], additionalProperties: false },
    });
  });

  it.for([
    ["a text", z.string()],
    ["a list", z.array(z.int())],
    ["alternatives", z.discriminatedUnion("t", [z.object({ t: z.literal("a") }), z.object({ t: z.literal("b") })])],
  ] as const)("has a key for the type when the payload is %s", ([, schema]) => {
    const { single, jsonSchema } = schemaOf(schema);
    expect(single).toBeUndefined();
    expect(jsonSchema).toMatchObject({ type: "object", required: ["Thing"] });
  });

  it("uses type names that providers accept", () => {
    expect(answerSchemaOf([artifact("Größe des Ofens", z.object({}))]).name).toBe("Gr__e_des_Ofens");
  });

  it("keeps definitions at the root, where references expect them", () => {
    const Node = z.object({
      text: z.string(),
      get children() {
        return z.array(Node);
      },
    });
    const Other = artifact("Other", z.string());
    const { jsonSchema } = answerSchemaOf([artifact("Tree", Node), Other]);
    const json = JSON.stringify(jsonSchema);
    const [, name] = /"\$ref":"#\/definitions\/(\w+)"/.exec(json) ?? [];
    expect(Object.keys(jsonSchema.definitions ?? {})).toContain(name);
  });

  it("allows the keys of other parts in an intersection", () => {
    const { jsonSchema } = schemaOf(z.object({ x: z.object({ a: z.string() }).and(z.record(z.string(), z.string())) }));
    expect(JSON.stringify(jsonSchema.properties?.x)).not.toContain('"additionalProperties":false');
  });

  it.for([
    ["plain fields", z.object({ a: z.string(), b: z.number().nullable(), c: z.array(z.enum(["x", "y"])) }), true],
    ["a date", z.object({ a: z.iso.datetime() }), true],
    ["an optional field", z.object({ a: z.string().optional() }), false],
    ["a length", z.object({ a: z.string().min(2) }), false],
    ["a record", z.object({ a: z.record(z.string(), z.string()) }), false],
    ["any other keys", z.looseObject({ a: z.string() }), false],
    ["anything", z.object({ a: z.any() }), false],
    ["an address", z.object({ a: z.url() }), false],
  ] as const)("determines whether providers can enforce it: %s", ([, schema, isStrict]) => {
    expect(schemaOf(schema).isStrict).toBe(isStrict);
  });
});

describe("answer schema with several artifacts of a type", () => {
  const Thing = artifact("Thing", z.object({ a: z.string() }));
  const listOf = (min: number, max: number) =>
    answerSchemaOf([Thing], new Map([["Thing", { min, max }]])).jsonSchema.properties?.Thing;

  it("has an array under the type's key, with the allowed number of items", () => {
    expect(listOf(2, 3)).toMatchObject({ type: "array", minItems: 2, maxItems: 3, items: { required: ["a"] } });
    expect(listOf(0, 1)).toMatchObject({ type: "array", maxItems: 1 });
    expect(listOf(2, Number.POSITIVE_INFINITY)).not.toHaveProperty("maxItems");
  });
});

describe("drafts of an answer", () => {
  const Pizza = artifact("Pizza", z.object({ name: z.string().trim(), slices: z.int().default(8) }));
  const Wine = artifact("Wine", z.string());
  const parse = (text: string, ...types: [typeof Pizza | typeof Wine, ...(typeof Pizza | typeof Wine)[]]) =>
    draftsOf(text, answerSchemaOf(types)).map(({ type, payload }) => [type, payload]);

  it("follow the artifact's schema, including defaults", () => {
    expect(parse('{"name": " Tartufo "}', Pizza)).toEqual([["Pizza", { name: "Tartufo", slices: 8 }]]);
    expect(parse('{"Wine": "Barolo", "Pizza": {"name": "T"}}', Pizza, Wine)).toEqual([
      ["Pizza", { name: "T", slices: 8 }],
      ["Wine", "Barolo"],
    ]);
  });

  it("are created one by one for an array", () => {
    const answer = answerSchemaOf([Pizza, Wine], new Map([["Wine", { min: 0, max: 3 }]]));
    const draftsIn = (wine: unknown) => draftsOf(JSON.stringify({ Pizza: { name: "T" }, Wine: wine }), answer);
    expect(draftsIn(["Barolo", "Soave"]).map(({ payload }) => payload)).toEqual([expect.anything(), "Barolo", "Soave"]);
    expect(draftsIn([])).toHaveLength(1);
    expect(() => draftsIn("Barolo")).toThrow(/`Wine` is not an array/);
    expect(() => draftsIn(["Barolo", 7])).toThrow(/Invalid payload of `Wine`/);
  });

  it.for<[string, RegExp]>([
    ['{"Pizza": {"name": "T"}}', /the key Wine is missing/],
    ["[]", /not an object with the keys Pizza, Wine/],
    ['{"Wine": 7, "Pizza": {"name": "T"}}', /Invalid payload of `Wine`: .*expected string/],
    ["{", /not JSON/],
    ["  ", /empty/],
  ])("are rejected with the reason: %s", ([text, message]) => {
    expect(() => parse(text, Pizza, Wine)).toThrow(message);
  });
});
