import type { Random } from "./random.ts";
import { StringMaker } from "./string-value.ts";

/** The supported part of JSON Schema (drafts 7 and 2020-12). */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly SchemaOrNot[];
  readonly anyOf?: readonly SchemaOrNot[];
  readonly oneOf?: readonly SchemaOrNot[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaOrNot>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaOrNot;
  readonly propertyNames?: SchemaOrNot;
  readonly minProperties?: number;
  readonly items?: SchemaOrNot | readonly SchemaOrNot[];
  readonly prefixItems?: readonly SchemaOrNot[];
  readonly additionalItems?: SchemaOrNot;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly pattern?: string;
}

type SchemaOrNot = Schema | boolean;

/** Depth below which optional parts are omitted, so that recursive schemas end. */
const DEEP = 5;
/** Maximum depth: only a schema that requires itself gets this deep. */
const BOTTOM = 60;
/** Probability that an optional property is present. */
const OPTIONAL = 0.7;
/** Number of items in an array without limits. */
const FEW = 3;
/** Range of numbers without limits; most numbers in texts are small. */
const SMALL = 20;

/** Generates a value that conforms to a JSON Schema. The same schema, random numbers and words give the same value. */
export function valueFor(schema: SchemaOrNot, random: Random, words: readonly string[]): unknown {
  return new ValueMaker(schema, random, words).make(schema, 0);
}

class ValueMaker {
  readonly #root: SchemaOrNot;
  readonly #random: Random;
  readonly #strings: StringMaker;

  constructor(root: SchemaOrNot, random: Random, words: readonly string[]) {
    this.#root = root;
    this.#random = random;
    this.#strings = new StringMaker(random, words);
  }

  make(given: SchemaOrNot, depth: number): unknown {
    if (depth > BOTTOM) return null;
    const { schema, patterns } = this.#flat(given);
    if ("const" in schema) return schema.const;
    if (schema.enum) return this.#random.pick(schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) {
      const { anyOf: _, oneOf: __, ...rest } = schema;
      const choice = this.#choose(choices, depth);
      return this.make(Object.keys(rest).length === 0 ? choice : { allOf: [choice, rest] }, depth + 1);
    }
    switch (this.#typeOf(schema, depth)) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, depth);
      case "integer":
        return this.#number(schema, Math.max(schema.multipleOf ?? 1, 1));
      case "number":
        return this.#number(schema, schema.multipleOf ?? 0.1);
      case "boolean":
        return this.#random.chance(0.5);
      case "null":
        return null;
      default:
        return this.#strings.make(schema, patterns);
    }
  }

  /** Resolves references and `allOf`, and collects their patterns. */
  #flat(given: SchemaOrNot): { schema: Schema; patterns: string[] } {
    const patterns: string[] = [];
    let schema: Schema = {};
    const pending: SchemaOrNot[] = [given];
    // A circular reference adds nothing after many rounds.
    for (let count = 0; pending.length > 0 && count < 100; count += 1) {
      const next = pending.shift() as SchemaOrNot;
      if (typeof next === "boolean") continue;
      const { $ref, allOf, ...own } = next;
      if ($ref !== undefined) pending.unshift(this.#resolve($ref));
      if (allOf) pending.unshift(...allOf);
      if (own.pattern !== undefined) patterns.push(own.pattern);
      schema = both(schema, own);
    }
    return { schema, patterns };
  }

  /** Resolves a pointer such as `#/definitions/Name`. */
  #resolve(pointer: string): SchemaOrNot {
    const steps = pointer.split("/").slice(1);
    let found: unknown = this.#root;
    for (const step of steps) {
      const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
      found = (found as Record<string, unknown> | undefined)?.[key];
    }
    return (found ?? {}) as SchemaOrNot;
  }

  /** Chooses an alternative; deep down one without references, so that the value ends. */
  #choose(choices: readonly SchemaOrNot[], depth: number): SchemaOrNot {
    const possible = choices.filter((choice) => choice !== false);
    if (depth < DEEP) return this.#random.pick(possible);
    const sizes = possible.map(
      (choice) => JSON.stringify(choice).length + (JSON.stringify(choice).includes("$ref") ? 1e6 : 0),
    );
    return possible[sizes.indexOf(Math.min(...sizes))] as SchemaOrNot;
  }

  #typeOf(schema: Schema, depth: number): string {
    const { type } = schema;
    if (typeof type === "string") return type;
    if (type) return depth >= DEEP && type.includes("null") ? "null" : this.#random.pick(type);
    if (schema.properties || schema.additionalProperties) return "object";
    if (schema.items || schema.prefixItems) return "array";
    return "string";
  }

  #object(schema: Schema, depth: number): Record<string, unknown> {
    const { properties = {}, required = [], additionalProperties, propertyNames, minProperties = 0 } = schema;
    // No prototype, because a key may be `__proto__`.
    const value = Object.create(null) as Record<string, unknown>;
    for (const [key, property] of Object.entries(properties)) {
      const isThere = required.includes(key) || (depth < DEEP && this.#random.chance(OPTIONAL) && property !== false);
      if (isThere) value[key] = this.make(property, depth + 1);
    }
    if (typeof additionalProperties !== "object") return value;
    for (const key of required) {
      if (!(key in properties)) value[key] = this.make(additionalProperties, depth + 1);
    }
    const isRecord = Object.keys(properties).length === 0 && required.length === 0;
    const wanted = Math.max(minProperties, isRecord && depth < DEEP ? this.#random.between(1, FEW) : 0);
    for (let tries = 0; Object.keys(value).length < wanted && tries < 10 * wanted; tries += 1) {
      const key = String(this.make(propertyNames ?? { type: "string", maxLength: 12 }, depth + 1));
      value[key] = this.make(additionalProperties, depth + 1);
    }
    return value;
  }

  #array(schema: Schema, depth: number): unknown[] {
    const { items, minItems = 0, uniqueItems } = schema;
    const first = schema.prefixItems ?? (Array.isArray(items) ? (items as readonly SchemaOrNot[]) : []);
    const rest = (Array.isArray(items) ? schema.additionalItems : (items as SchemaOrNot | undefined)) ?? {};
    const most = schema.maxItems ?? (rest === false ? first.length : Number.POSITIVE_INFINITY);
    const usual = depth < DEEP ? this.#random.between(1, FEW) : 0;
    const count = Math.min(Math.max(minItems, first.length > 0 ? first.length : usual), most);
    const value: unknown[] = [];
    const seen = new Set<string>();
    for (let tries = 0; value.length < count && tries < 20 * count; tries += 1) {
      const item = this.make(first[value.length] ?? rest, depth + 1);
      const json = JSON.stringify(item);
      if (uniqueItems && seen.has(json)) continue;
      seen.add(json);
      value.push(item);
    }
    return value;
  }

  #number(schema: Schema, step: number): number {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
    const least = Math.max(minimum ?? Number.NEGATIVE_INFINITY, exclusiveMinimum ?? Number.NEGATIVE_INFINITY);
    const most = Math.min(maximum ?? Number.POSITIVE_INFINITY, exclusiveMaximum ?? Number.POSITIVE_INFINITY);
    // Very large ranges count as no limit.
    const low = least > -1e9 ? least : Math.min(0, most - SMALL * step);
    const high = Math.min(most, low + SMALL * step);
    const fits = (n: number) =>
      n >= (minimum ?? n) && n <= (maximum ?? n) && n > (exclusiveMinimum ?? n - 1) && n < (exclusiveMaximum ?? n + 1);
    // Steps are counted from 0, like `multipleOf`, and rounded to avoid binary fractions.
    const [from, to] = [Math.ceil(low / step), Math.floor(high / step)];
    for (let tries = 0; from <= to && tries < 10; tries += 1) {
      const n = Number((this.#random.between(from, to) * step).toPrecision(12));
      if (fits(n)) return n;
    }
    // The range is narrower than a step: use its middle or an end.
    return [(low + high) / 2, low, high].find(fits) ?? low;
  }
}

/** Merges two schemas so that a value conforms to both. */
function both(a: Schema, b: Schema): Schema {
  const limit = (key: keyof Schema, choose: (x: number, y: number) => number) => {
    const [x, y] = [a[key], b[key]] as (number | undefined)[];
    return x === undefined || y === undefined ? {} : { [key]: choose(x, y) };
  };
  const properties = { ...a.properties };
  for (const [key, property] of Object.entries(b.properties ?? {})) {
    properties[key] = Object.hasOwn(properties, key) ? { allOf: [properties[key] as SchemaOrNot, property] } : property;
  }
  return {
    ...a,
    ...b,
    ...(a.properties || b.properties ? { properties } : {}),
    ...(a.required || b.required ? { required: [...new Set([...(a.required ?? []), ...(b.required ?? [])])] } : {}),
    ...(a.enum && b.enum ? { enum: a.enum.filter((one) => b.enum?.includes(one)) } : {}),
    ...limit("minimum", Math.max),
    ...limit("exclusiveMinimum", Math.max),
    ...limit("minLength", Math.max),
    ...limit("minItems", Math.max),
    ...limit("maximum", Math.min),
    ...limit("exclusiveMaximum", Math.min),
    ...limit("maxLength", Math.min),
    ...limit("maxItems", Math.min),
  };
}
