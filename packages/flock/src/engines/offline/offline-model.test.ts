import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../../blackboard/artifact-type.ts";
import { draftsOf } from "../ai/answer.ts";
import { answerSchemaOf } from "../ai/answer-schema.ts";
import { type OfflineModelOptions, offlineModel } from "./offline-model.ts";

type Call = Parameters<ReturnType<typeof offlineModel>["doGenerate"]>[0];

const question = (text: string): Call["prompt"] => [{ role: "user", content: [{ type: "text", text }] }];

/** Returns the model's answer for a schema. */
async function answer(schema: z.ZodType, options: OfflineModelOptions = {}, text = "truffle, lemon and basil") {
  const { jsonSchema } = answerSchemaOf([artifact("Thing", schema)]);
  const { content } = await offlineModel(options).doGenerate({
    prompt: question(text),
    responseFormat: { type: "json", schema: jsonSchema },
  });
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Fails with the schema's issues when the answer is invalid. */
async function conforms(schema: z.ZodType, options?: OfflineModelOptions): Promise<void> {
  const Thing = artifact("Thing", schema);
  draftsOf(await answer(schema, options), answerSchemaOf([Thing]));
}

/** An inclusive range of integers. */
const range = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const texts = fc.oneof(
  range(40).map(([least, most]) => z.string().min(least).max(most)),
  fc.nat(60).map((length) => z.string().length(length)),
  fc.nat(200).map((least) => z.string().min(least)),
  fc.constantFrom<z.ZodType>(
    z.string(),
    z.string().trim().min(1),
    z.string().startsWith("PZ-"),
    z.string().endsWith("!"),
    z.string().startsWith("a").endsWith("z"),
    z.string().startsWith("a").includes("m").endsWith("z"),
    z.string().regex(/^[A-Z]{3}-\d{4}$/),
    z.string().regex(/^(mild|hot)( (very|so))*$/),
    z.string().regex(/^\p{Lu}\p{Ll}+$/u),
    z.string().regex(/^[^\s@]+@[^\s@]+$/),
    z.string().regex(/^(?:#[0-9a-f]{6}|rgb\(\d{1,2}, ?\d{1,2}, ?\d{1,2}\))$/i),
    z.string().regex(/\bpizza\b/),
    z
      .string()
      .regex(/^[a-z]+$/)
      .min(12)
      .max(14),
    z.email(),
    z.url(),
    z.uuid(),
    z.guid(),
    z.iso.datetime(),
    z.iso.datetime({ offset: true }),
    z.iso.date(),
    z.iso.time(),
    z.iso.duration(),
    z.ipv4(),
    z.ipv6(),
    z.cidrv4(),
    z.cidrv6(),
    z.base64(),
    z.base64url(),
    z.jwt(),
    z.nanoid(),
    z.cuid2(),
    z.ulid(),
    z.e164(),
    z.emoji(),
    z.hostname(),
    z.hex(),
    z.templateLiteral(["pizza-", z.int().min(0).max(9), z.enum(["s", "m"])]),
    z.coerce.date(),
  ),
);

const numbers = fc.oneof(
  fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(1_000)).map(([least, width]) =>
    z
      .int()
      .min(least)
      .max(least + width),
  ),
  fc.integer().map((least) => z.int().min(least)),
  fc.integer().map((most) => z.number().max(most)),
  fc.tuple(fc.integer({ min: 2, max: 50 }), fc.integer({ min: -100, max: 100 })).map(([step, n]) =>
    z
      .int()
      .multipleOf(step)
      .min(step * n)
      .max(step * (n + 3)),
  ),
  fc.constantFrom<z.ZodType>(
    z.number(),
    z.number().gt(0).lt(1),
    z.number().gt(0).lt(0.001),
    z.number().positive().max(5).multipleOf(0.25),
    z.number().nonpositive(),
    z.int().negative(),
    z.uint32(),
    z.float32(),
  ),
);

const others = fc.oneof(
  fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }).map((values) => z.enum(values)),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)).map((value) => z.literal(value)),
  fc.constantFrom<z.ZodType>(z.boolean(), z.null(), z.any(), z.unknown(), z.literal([1, "two", null])),
);

const keys = fc.oneof(fc.stringMatching(/^[a-z]{1,6}$/), fc.constantFrom("größe", "a b", "$x", "a/b~c"));

/** Typical schemas, a few levels deep. */
const { schema: schemas } = fc.letrec<{ schema: z.ZodType; fields: Record<string, z.ZodType> }>((tie) => ({
  fields: fc.dictionary(keys, tie("schema"), { maxKeys: 4, noNullPrototype: true }),
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    texts,
    numbers,
    others,
    tie("fields").map((fields) => z.object(fields)),
    tie("fields").map((fields) => z.strictObject(fields).partial()),
    tie("fields").map((fields) => z.looseObject(fields)),
    fc.tuple(tie("fields"), tie("schema")).map(([fields, rest]) => z.object({ ...fields, rest: rest.optional() })),
    tie("schema").map((item) => z.array(item)),
    fc.tuple(tie("schema"), range(5)).map(([item, [least, most]]) => z.array(item).min(least).max(most)),
    fc.tuple(tie("schema"), tie("schema")).map(([first, second]) => z.tuple([first, second])),
    fc.tuple(tie("schema"), tie("schema")).map(([first, rest]) => z.tuple([first], rest)),
    tie("schema").map((value) => z.record(z.string(), value)),
    tie("schema").map((value) => z.record(z.enum(["left", "right"]), value)),
    tie("schema").map((value) => z.partialRecord(z.enum(["left", "right"]), value)),
    fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => z.union([a, b])),
    fc
      .tuple(tie("fields"), tie("fields"))
      .map(([a, b]) =>
        z.discriminatedUnion("kind", [
          z.object({ ...a, kind: z.literal("a") }),
          z.object({ ...b, kind: z.literal("b") }),
        ]),
      ),
    fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => z.object({ a }).and(z.object({ b }))),
    tie("schema").map((inner) => inner.nullable()),
    tie("schema").map((inner) => inner.describe("as the guest likes it")),
  ),
}));

async function partsOf<T>(stream: ReadableStream<T>): Promise<T[]> {
  const parts: T[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe("answers of the offline model", () => {
  it("conform to any schema with any seed", async () => {
    await fc.assert(
      fc.asyncProperty(schemas, fc.nat(), (schema, seed) => conforms(schema, { seed })),
      { numRuns: 300 },
    );
  });

  it("conform to recursive schemas", async () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree);
      },
      get parent() {
        return Tree.nullable();
      },
    });
    const Expression: z.ZodType = z.lazy(() =>
      z.union([z.number(), z.object({ op: z.enum(["+", "-"]), left: Expression, right: Expression })]),
    );
    for (let seed = 0; seed < 50; seed += 1) {
      await conforms(Tree, { seed });
      await conforms(z.object({ forest: z.array(Tree), sum: Expression }), { seed });
    }
  });

  it("consist of words of the question", async () => {
    const { text } = JSON.parse(await answer(z.object({ text: z.string().min(20) }))) as { text: string };
    for (const word of text.replace("[offline] ", "").split(" ")) expect(["truffle", "lemon", "basil"]).toContain(word);
  });

  it("use words of the payloads, not of types or keys", async () => {
    const input = JSON.stringify([{ type: "Idea", payload: { description: "truffle" } }]);
    expect(await answer(z.object({ text: z.string() }), {}, input)).toContain('"[offline] truffle"');
  });

  it("are marked as offline once", async () => {
    const json = await answer(z.object({ a: z.string(), b: z.array(z.string()).min(3) }));
    expect(json.match(/\[offline\]/g)).toHaveLength(1);
    expect(offlineModel()).toMatchObject({ provider: "offline", specificationVersion: "v4" });
    const { content } = await offlineModel().doGenerate({ prompt: question("truffle") });
    expect(content).toEqual([
      { type: "text", text: expect.stringMatching(/^\[offline\] Generated from words of the question/) },
    ]);
  });

  it("depend only on seed and question", async () => {
    const schema = z.object({ n: z.int(), text: z.string() });
    expect(await answer(schema, { seed: 1 })).toBe(await answer(schema, { seed: 1 }));
    expect(await answer(schema, { seed: 1 })).not.toBe(await answer(schema, { seed: 2 }));
    expect(await answer(schema, { seed: 1 }, "a")).not.toBe(await answer(schema, { seed: 1 }, "b"));
  });
});

describe("offline model", () => {
  const Schema = z.object({ text: z.string(), list: z.array(z.string()) });
  const call = (more: Partial<Call> = {}): Call => ({
    prompt: question("truffle"),
    responseFormat: { type: "json", schema: answerSchemaOf([artifact("Thing", Schema)]).jsonSchema },
    ...more,
  });

  it("streams the same answer in chunks and reports tokens", async () => {
    const { stream } = await offlineModel().doStream(call());
    const parts = await partsOf(stream);
    const deltas = parts.flatMap((part) => (part.type === "text-delta" ? [part.delta] : []));
    const { content, usage } = await offlineModel().doGenerate(call());
    expect(deltas.length).toBeGreaterThan(3);
    expect(content).toEqual([{ type: "text", text: deltas.join("") }]);
    expect(parts.at(-1)).toMatchObject({ type: "finish", usage, finishReason: { unified: "stop" } });
    expect(usage.outputTokens.total).toBeGreaterThan(0);
  });

  it("stops when aborted", async () => {
    const abort = new AbortController();
    const { stream } = await offlineModel({ delayMs: 60_000 }).doStream(call({ abortSignal: abort.signal }));
    const reading = partsOf(stream);
    abort.abort();
    await expect(reading).rejects.toThrow(/abort/i);
    await expect(offlineModel().doStream(call({ abortSignal: abort.signal }))).rejects.toThrow(/abort/i);
  });

  it("calls only a required tool, with valid input", async () => {
    const tools: Call["tools"] = [
      {
        type: "function",
        name: "larder",
        inputSchema: { type: "object", properties: { shelf: { type: "integer" } }, required: ["shelf"] },
      },
    ];
    const free = await offlineModel().doGenerate(call({ tools, toolChoice: { type: "auto" } }));
    expect(free.finishReason.unified).toBe("stop");
    const must = await offlineModel().doGenerate(call({ tools, toolChoice: { type: "required" } }));
    expect(must.finishReason.unified).toBe("tool-calls");
    expect(must.content).toEqual([
      {
        type: "tool-call",
        toolCallId: expect.any(String),
        toolName: "larder",
        input: expect.stringMatching(/^{"shelf":-?\d+}$/),
      },
    ]);
  });

  it("names an invalid option", () => {
    expect(() => offlineModel({ delayMs: -1 })).toThrow(/offlineModel: delayMs/);
    expect(() => offlineModel({ sed: 1 } as never)).toThrow(/sed/);
  });
});
