import type { z } from "zod";
import { FlockError } from "../core/errors.ts";

/**
 * How the payload of a schema differs from the JSON that is stored of it. `same`: it does not. `rewritten`: it does not,
 * but validation may change it, as `.trim()` does. `codec`: `z.encode` returns the JSON. `transform`: a transformation in
 * one direction; the JSON before it is stored.
 */
export type PayloadForm = "same" | "rewritten" | "codec" | "transform";

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
  const found = { codec: false, transform: false, rewrite: false };
  inspect(typeName, schema, [], true, found, new Map());
  return found.transform ? "transform" : found.codec ? "codec" : found.rewrite ? "rewritten" : "same";
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
  rewrite: boolean;
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
  found.rewrite ||= ((def.checks ?? []) as z.core.$ZodCheck[]).some((one) => one._zod.def.check === "overwrite");
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
      const before: Found = { codec: isCodec, transform: false, rewrite: false };
      inspect(typeName, def.in as z.core.$ZodType, path, isInput, before, new Map(seen));
      found.codec ||= before.codec;
      found.transform ||= before.transform;
      found.rewrite ||= before.rewrite;
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

/**
 * Returns JSON with the defaults of a schema filled in, so that every reader finds the same ones: a default may be a new
 * id, or the time. Leaves out defaults of transformed values, which have no JSON.
 */
export function withDefaults(schema: z.core.$ZodType, value: unknown): unknown {
  const def = schema._zod.def as Def;
  const inner = def.innerType as z.core.$ZodType;
  switch (def.type) {
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
      const filled: Record<string, unknown> = {};
      for (const [key, part] of Object.entries(def.shape as Record<string, z.core.$ZodType>)) {
        const own = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
        const all = withDefaults(part, own);
        if (all !== own) filled[key] = all;
      }
      return Object.keys(filled).length > 0 ? { ...value, ...filled } : value;
    }
    case "array":
      return Array.isArray(value) ? value.map((one) => withDefaults(def.element as z.core.$ZodType, one)) : value;
    case "default":
      if (value !== undefined) return withDefaults(inner, value);
      return isTransformed(inner) ? undefined : def.defaultValue;
    case "prefault":
      return withDefaults(inner, value === undefined ? def.defaultValue : value);
    case "optional":
    case "nullable":
    case "readonly":
      return value === undefined || value === null ? value : withDefaults(inner, value);
    case "pipe":
      return withDefaults(def.in as z.core.$ZodType, value);
    case "lazy":
      return value === undefined ? value : withDefaults((def.getter as () => z.core.$ZodType)(), value);
    default:
      return value;
  }
}

function isTransformed(schema: z.core.$ZodType): boolean {
  const found = { codec: false, transform: false, rewrite: false };
  inspect("", schema, [], true, found, new Map());
  return found.codec || found.transform;
}

/** Whether two payloads of the same JSON are equal, as far as JSON, dates, maps and sets go. */
export function areEqualPayloads(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b);
}

function textOf(payload: unknown): string | undefined {
  return JSON.stringify(payload, (_key, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    return part instanceof Map || part instanceof Set ? [...part] : part;
  });
}
