import type { z } from "zod";
import { FlockError } from "../core/errors.ts";

/**
 * How the payload of a schema differs from the JSON that is stored of it. `same`: it does not. `codec`: `z.encode`
 * returns the JSON. `transform`: a transformation in one direction; the JSON before it is stored.
 */
export type PayloadForm = "same" | "codec" | "transform";

/** Types of Zod schemas whose values JSON cannot represent, with the codec that can. */
const UNREPRESENTABLE: Readonly<Record<string, string>> = {
  date: "z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() })",
  bigint: "z.codec(z.string().regex(/^-?\\d+$/), z.bigint(), { decode: BigInt, encode: String })",
  map: "z.codec(z.array(z.tuple([key, value])), z.map(key, value), { decode: (list) => new Map(list), encode: (map) => [...map] })",
  set: "z.codec(z.array(item), z.set(item), { decode: (list) => new Set(list), encode: (set) => [...set] })",
  symbol: "z.string()",
  nan: "z.null()",
  file: "z.base64()",
  function: "",
  promise: "",
};

/**
 * Checks that JSON can represent the payloads of a schema, and returns their form.
 * @throws FlockError `invalid_options` when it is no Zod 4 schema, or a part of it takes values that are not JSON.
 */
export function payloadFormOf(typeName: string, schema: unknown): PayloadForm {
  assertZod(typeName, schema);
  const found = { codec: false, transform: false };
  inspect(typeName, schema, [], true, found, new Map());
  return found.transform ? "transform" : found.codec ? "codec" : "same";
}

function assertZod(typeName: string, schema: unknown): asserts schema is z.ZodType {
  const isObject = (typeof schema === "object" || typeof schema === "function") && schema !== null;
  if (isObject && "_zod" in schema) return;
  const what = !isObject
    ? schema === undefined
      ? "it is missing. Pass a Zod schema: `artifact(name, z.object({ … }))`"
      : `it is ${schema === null ? "null" : `a ${typeof schema}`}. Pass a Zod schema: \`artifact(name, z.object({ … }))\``
    : "_def" in schema
      ? "it is a schema of Zod 3. Create it with Zod 4"
      : "~standard" in schema
        ? `it is a schema of \`${(schema["~standard"] as { vendor?: unknown } | undefined)?.vendor}\`. Create it with Zod 4`
        : "it is not a Zod schema. Wrap the fields: `z.object({ … })`";
  throw new FlockError("invalid_options", `Invalid schema of artifact type \`${typeName}\`: ${what}.`);
}

interface Found {
  codec: boolean;
  transform: boolean;
}

type Def = z.core.$ZodTypeDef & Record<string, unknown>;

/**
 * Looks at a schema and its parts. `isInput`: whether the part receives JSON; behind a transformation, it may receive
 * anything.
 */
function inspect(
  typeName: string,
  schema: z.core.$ZodType,
  path: readonly string[],
  isInput: boolean,
  found: Found,
  seen: Map<unknown, boolean>,
): void {
  // Recursive schemas come here again. What was seen behind a transformation may also receive JSON.
  if (seen.has(schema) && (seen.get(schema) === true || !isInput)) return;
  seen.set(schema, isInput);
  const def = schema._zod.def as Def;
  const go = (part: unknown, key?: string, isPartInput = isInput): void => {
    if (!part) return;
    inspect(typeName, part as z.core.$ZodType, key === undefined ? path : [...path, key], isPartInput, found, seen);
  };
  if (isInput && def.type in UNREPRESENTABLE) {
    // It accepts strings, too.
    if (def.coerce) found.transform = true;
    else throw unrepresentable(typeName, def.type, path);
  }
  switch (def.type) {
    case "object":
      for (const [key, part] of Object.entries(def.shape as object)) go(part, key);
      return go(def.catchall);
    case "array":
      return go(def.element, "[]");
    case "tuple":
      for (const [index, part] of (def.items as unknown[]).entries()) go(part, String(index));
      return go(def.rest, "[]");
    case "record":
      go(def.keyType);
      return go(def.valueType, "{}");
    case "union":
      for (const part of def.options as unknown[]) go(part);
      return;
    case "intersection":
      go(def.left);
      return go(def.right);
    case "lazy":
      return go((def.getter as () => unknown)());
    case "transform":
      found.transform = true;
      return;
    case "pipe": {
      const isCodec = typeof def.reverseTransform === "function";
      const before: Found = { codec: isCodec, transform: false };
      inspect(typeName, def.in as z.core.$ZodType, path, isInput, before, new Map(seen));
      found.codec ||= before.codec;
      found.transform ||= before.transform;
      return go(def.out, undefined, isInput && !before.codec && !before.transform);
    }
    default:
      return go(def.innerType);
  }
}

function unrepresentable(typeName: string, type: string, path: readonly string[]): FlockError {
  const where = path.length > 0 ? ` at \`${path.join(".")}\`` : "";
  const instead = UNREPRESENTABLE[type] ? ` Use \`${UNREPRESENTABLE[type]}\`.` : " Remove it.";
  return new FlockError(
    "invalid_options",
    `Invalid schema of artifact type \`${typeName}\`: \`z.${type}()\`${where} takes values that JSON cannot represent.${instead}`,
  );
}
