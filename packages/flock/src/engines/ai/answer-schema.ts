import type { JSONSchema7 } from "ai";
import { z } from "zod";
import type { Range } from "../../agents/outputs.ts";
import type { AnyArtifactType } from "../../blackboard/artifact-type.ts";

/** The JSON Schema of a model's answer, and how the answer is converted to payloads. */
export interface AnswerSchema {
  /** Name of the answer for providers: letters, digits, `_` and `-`, at most 64 characters. */
  readonly name: string;
  readonly jsonSchema: JSONSchema7;
  /**
   * Whether providers can enforce the schema while the model writes (OpenAI's "strict"). They support a subset of JSON
   * Schema.
   */
  readonly isStrict: boolean;
  /** The type whose payload is the whole answer; undefined when the answer has a key for each of several types. */
  readonly single: AnyArtifactType | undefined;
  /** The types in the answer. */
  readonly types: readonly AnyArtifactType[];
  /** Number of payloads by type, for types whose answer is an array. */
  readonly lists: ReadonlyMap<string, Range>;
}

/**
 * Creates the schema of an answer with one payload of each type, or an array of payloads for the types in `lists`.
 * A single object payload is the answer itself. Otherwise the answer is an object with a key for each type, because
 * providers require an object at the root.
 */
export function answerSchemaOf(
  types: readonly AnyArtifactType[],
  lists: AnswerSchema["lists"] = new Map(),
): AnswerSchema {
  const [first] = types;
  if (types.length === 1 && first && !lists.has(first.typeName)) {
    const jsonSchema = toJsonSchema(first.schema);
    if (jsonSchema.type === "object") {
      return { name: asName(first.typeName), jsonSchema, isStrict: isStrict(jsonSchema), single: first, types, lists };
    }
  }
  // One document, so that the definitions of all payloads are at its root.
  const whole = z.object(
    Object.fromEntries(types.map((type) => [type.typeName, partOf(type, lists.get(type.typeName))])),
  );
  const jsonSchema = toJsonSchema(whole);
  return { name: "answer", jsonSchema, isStrict: isStrict(jsonSchema), single: undefined, types, lists };
}

function partOf({ schema }: AnyArtifactType, range: Range | undefined): z.ZodType {
  if (!range) return schema;
  const list = z.array(schema).min(range.min);
  return Number.isFinite(range.max) ? list.max(range.max) : list;
}

/** Converts a schema as publishers use it: properties with a default are optional. */
function toJsonSchema(schema: z.ZodType): JSONSchema7 {
  const json = z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema, path }) => {
      // Objects without `additionalProperties` accept no other keys, because models tend to add some. Parts of an
      // intersection must accept the keys of the others.
      if (jsonSchema.type === "object" && jsonSchema.properties && !path.includes("allOf")) {
        jsonSchema.additionalProperties ??= false;
      }
      // Providers support only `anyOf`, and a discriminator is unambiguous.
      if (jsonSchema.oneOf && !jsonSchema.anyOf) {
        jsonSchema.anyOf = jsonSchema.oneOf;
        delete jsonSchema.oneOf;
      }
      if (zodSchema._zod.def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
    },
  });
  const { $schema: _, ...rest } = json;
  return rest as JSONSchema7;
}

/** Keywords that OpenAI's structured outputs accept. Other providers accept as many or don't check. */
const STRICT_KEYWORDS = new Set(
  (
    "type properties required additionalProperties items enum const anyOf description title $ref definitions $defs " +
    "pattern multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems"
  ).split(" "),
);
const STRICT_FORMATS = new Set("date-time time date duration email hostname ipv4 ipv6 uuid".split(" "));

/** Returns whether providers can enforce a schema while a model writes. */
function isStrict(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return false;
  for (const [keyword, value] of Object.entries(schema)) {
    switch (keyword) {
      case "properties":
      case "definitions":
      case "$defs":
        if (!Object.values(value as object).every(isStrict)) return false;
        break;
      case "items":
        if (!isStrict(value)) return false;
        break;
      case "anyOf":
        if (!(value as unknown[]).every(isStrict)) return false;
        break;
      case "format":
        if (!STRICT_FORMATS.has(value as string)) return false;
        break;
      default:
        if (!STRICT_KEYWORDS.has(keyword)) return false;
    }
  }
  const { type, properties, required = [], additionalProperties } = schema as JSONSchema7;
  if (type !== "object") return "type" in schema || "anyOf" in schema || "$ref" in schema || "enum" in schema;
  return additionalProperties === false && Object.keys(properties ?? {}).every((key) => required.includes(key));
}

function asName(typeName: string): string {
  return typeName.replace(/[^\w-]/g, "_").slice(0, 64);
}
