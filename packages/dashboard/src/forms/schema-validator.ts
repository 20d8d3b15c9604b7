import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { Issue } from "@flock-ts/protocol";
import type { ErrorSchema, RJSFSchema, ValidatorType } from "@rjsf/utils";
import { ROOT_SCHEMA_PREFIX, withIdRefPrefix } from "@rjsf/utils";

/** Validates forms by JSON Schema without compiling code, so that a strict content security policy may stand. */
export const schemaValidator: ValidatorType = {
  validateFormData(formData, schema) {
    const issues = issuesOf(schema, formData);
    const errors = issues.map(({ path, message }) => {
      const property = path.join(".");
      return { property, message, stack: `${property} ${message}` };
    });
    return { errors, errorSchema: errorSchemaOf(issues) };
  },
  isValid(schema, formData, rootSchema) {
    if (formData === undefined) return false;
    // A part of a schema refers to the whole: `#/$defs/Topping` is found in the root, under the root's name.
    // Copies, because the validator notes in a schema where it first stood.
    const validator = new Validator(withIdRefPrefix(schema) as Schema, "2020-12");
    validator.addSchema(structuredClone(rootSchema) as Schema, ROOT_SCHEMA_PREFIX);
    return validator.validate(asJson(formData)).valid;
  },
  rawValidation: (schema, formData) => ({ errors: issuesOf(schema, formData) as never[] }),
};

/**
 * Validates what a form means rather than what it holds: a form for a schema of which it shows a simpler one.
 * `meant` makes the value of what the form holds.
 */
export function validatorOf(schema: RJSFSchema, meant: (data: unknown) => unknown): ValidatorType {
  return {
    ...schemaValidator,
    validateFormData: (formData) => schemaValidator.validateFormData(meant(formData), schema),
  };
}

/** What is wrong with the fields of a form, as the form library wants it. */
export function errorSchemaOf(issues: readonly Issue[]): ErrorSchema {
  const root: Record<string, unknown> = {};
  for (const { path, message } of issues) {
    let at = root;
    for (const part of path) at = at[part] = (at[part] as Record<string, unknown>) ?? {};
    at.__errors = [...((at.__errors as string[]) ?? []), message];
  }
  return root as ErrorSchema;
}

/** Keywords that only say that something below them is wrong. */
const SUMMARIES = new Set([
  "properties",
  "items",
  "prefixItems",
  "additionalProperties",
  "propertyNames",
  "$ref",
  "allOf",
  "if",
]);

/** What is wrong with some data, each with the path of its field. */
export function issuesOf(schema: RJSFSchema, data: unknown): Issue[] {
  if (data === undefined) return [{ path: [], message: "is required" }];
  const { errors } = new Validator(structuredClone(schema) as Schema, "2020-12", false).validate(asJson(data));
  const issues = new Map<string, Issue>();
  for (const unit of ofMeantAlternatives(errors)) {
    if (SUMMARIES.has(unit.keyword)) continue;
    const path = partsOf(unit.instanceLocation);
    // A missing field is reported at its parent, and belongs at the field.
    const missing = unit.keyword === "required" ? /"(.+)"/.exec(unit.error)?.[1] : undefined;
    if (missing !== undefined) path.push(missing);
    // An entry that was added to a list and left empty.
    const isEmpty = unit.keyword === "type" && valueIn(data, path) === undefined;
    const message = isEmpty ? "is required" : messageOf(unit, schema);
    issues.set(JSON.stringify([path, message]), { path, message });
  }
  return [...issues.values()];
}

/**
 * Without the errors of alternatives that are not meant. Where the kind of value fits exactly one alternative, that is
 * the one that is meant, and its errors say more than that none fits.
 */
function ofMeantAlternatives(errors: readonly OutputUnit[]): OutputUnit[] {
  let left = [...errors];
  for (const union of errors) {
    if (union.keyword !== "anyOf" && union.keyword !== "oneOf") continue;
    const prefix = `${union.keywordLocation}/`;
    const alternatives = Map.groupBy(
      left.filter(({ keywordLocation }) => keywordLocation.startsWith(prefix)),
      ({ keywordLocation }) => keywordLocation.slice(prefix.length).split("/")[0],
    );
    const meant = [...alternatives].filter(
      ([, units]) =>
        !units.some(
          ({ keyword, instanceLocation }) =>
            keyword === "const" || (keyword === "type" && instanceLocation === union.instanceLocation),
        ),
    );
    const kept = meant.length === 1 ? `${prefix}${meant[0]?.[0]}/` : undefined;
    left = left.filter((unit) => {
      if (unit === union) return kept === undefined;
      return !unit.keywordLocation.startsWith(prefix) || (kept !== undefined && unit.keywordLocation.startsWith(kept));
    });
  }
  return left;
}

/** What is wrong, in words for who fills in a form. */
function messageOf({ keyword, keywordLocation, error }: OutputUnit, schema: RJSFSchema): string {
  const limit = valueAt(schema, keywordLocation);
  switch (keyword) {
    case "required":
      return "is required";
    case "type":
      return `must be ${[limit].flat().join(" or ")}`;
    case "enum":
      return `must be one of ${(limit as unknown[] | undefined)?.map((value) => JSON.stringify(value)).join(", ")}`;
    case "const":
      return `must be ${JSON.stringify(limit)}`;
    case "minLength":
      return limit === 1 ? "must not be empty" : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minimum":
      return `must be at least ${limit}`;
    case "maximum":
      return `must be at most ${limit}`;
    case "exclusiveMinimum":
      return `must be more than ${limit}`;
    case "exclusiveMaximum":
      return `must be less than ${limit}`;
    case "multipleOf":
      return `must be a multiple of ${limit}`;
    case "minItems":
      return `must have at least ${limit} ${limit === 1 ? "entry" : "entries"}`;
    case "maxItems":
      return `must have at most ${limit} ${limit === 1 ? "entry" : "entries"}`;
    case "format":
      return `must be a valid ${limit}`;
    case "pattern": {
      // A format brings its pattern along, which only says the same in a worse way.
      const format = valueAt(schema, keywordLocation.replace(/pattern$/, "format"));
      return format === undefined ? `must match ${limit}` : `must be a valid ${format}`;
    }
    case "anyOf":
    case "oneOf":
      return "must match one of the alternatives";
    default:
      return error;
  }
}

/** What a schema says at a keyword's location, which leads through references. */
function valueAt(schema: RJSFSchema, location: string): unknown {
  let at: unknown = schema;
  for (const part of partsOf(location)) {
    at = (at as Record<string, unknown> | undefined)?.[part];
    if (part === "$ref" && typeof at === "string") at = valueAt(schema, at);
  }
  return at;
}

function valueIn(data: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], data);
}

/** The parts of a JSON pointer such as `#/a/b~1c`. */
function partsOf(pointer: string): string[] {
  return decodeURI(pointer)
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** JSON knows no undefined; forms leave it where a field is empty. */
function asJson(data: unknown): unknown {
  return data === undefined ? undefined : JSON.parse(JSON.stringify(data));
}
