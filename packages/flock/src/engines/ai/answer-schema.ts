import type { JSONSchema7 } from "ai";
import { z } from "zod";
import type { Range } from "../../agents/outputs.ts";
import type { AnyArtifactType } from "../../blackboard/artifact-type.ts";

/** What a model is to answer: the JSON Schema, and how the answer becomes payloads. */
export interface AnswerSchema {
  /** What the providers call the answer: letters, digits, `_` and `-`, 64 at most. */
  readonly name: string;
  readonly jsonSchema: JSONSchema7;
  /** Whether providers can hold the model to it while it writes (OpenAI's "strict"): they know but a part of JSON Schema. */
  readonly isStrict: boolean;
  /** The type whose payload the answer is; undefined when the answer has a key for each of several types. */
  readonly single: AnyArtifactType | undefined;
  /** What the answer is made of. */
  readonly types: readonly AnyArtifactType[];
  /** By type, how many payloads of it the answer has in an array. */
  readonly lists: ReadonlyMap<string, Range>;
}

/**
 * The schema of an answer that has one payload of each type, or an array of payloads for those in `lists`. One payload
 * that is an object is the answer itself; otherwise the answer is an object with a key for each type, since providers
 * want an object at the root.
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
  // One document, so that definitions that payloads refer to stand at its root.
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

/** As a publisher gives the payload: what has a default may be left out. */
function toJsonSchema(schema: z.ZodType): JSONSchema7 {
  const json = z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema, path }) => {
      // Objects that say nothing of other keys take none: models like to add some. Parts of an intersection have to let
      // the keys of the others pass.
      if (jsonSchema.type === "object" && jsonSchema.properties && !path.includes("allOf")) {
        jsonSchema.additionalProperties ??= false;
      }
      // Providers know but one of the two, and a discriminator leaves no doubt.
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

/** What OpenAI's structured outputs take; others take as much or do not look. */
const STRICT_KEYWORDS = new Set(
  (
    "type properties required additionalProperties items enum const anyOf description title $ref definitions $defs " +
    "pattern multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems"
  ).split(" "),
);
const STRICT_FORMATS = new Set("date-time time date duration email hostname ipv4 ipv6 uuid".split(" "));

/** Whether a schema stays within what can be enforced while a model writes. */
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
