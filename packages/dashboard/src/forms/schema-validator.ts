import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { Issue } from "@flock-ts/protocol";
import type { ErrorSchema, RJSFSchema, ValidatorType } from "@rjsf/utils";
import { ROOT_SCHEMA_PREFIX, withIdRefPrefix } from "@rjsf/utils";

/** Validates forms by JSON Schema without compiling code, as a strict content security policy requires. */
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
    // Copies, because the validator records in each schema where it was first used.
    const validator = new Validator(withIdRefPrefix(schema) as Schema, "2020-12");
    validator.addSchema(structuredClone(rootSchema) as Schema, ROOT_SCHEMA_PREFIX);
    return validator.validate(asJson(formData)).valid;
  },
  rawValidation: (schema, formData) => ({ errors: issuesOf(schema, formData) as never[] }),
};

/**
 * Validates the payload that a form represents instead of the form's data, whose schema is simpler.
 * `meant` converts form data to the payload.
 */
export function validatorOf(schema: RJSFSchema, meant: (data: unknown) => unknown): ValidatorType {
  return {
    ...schemaValidator,
    validateFormData: (formData) => schemaValidator.validateFormData(meant(formData), schema),
  };
}

/** Converts errors to the shape that the form library expects. */
export function errorSchemaOf(issues: readonly Issue[]): ErrorSchema {
  const root: Record<string, unknown> = {};
  for (const { path, message } of issues) {
    let at = root;
    for (const part of path) at = at[part] = (at[part] as Record<string, unknown>) ?? {};
    at.__errors = [...((at.__errors as string[]) ?? []), message];
  }
  return root as ErrorSchema;
}

/** Keywords whose errors only report that something below them is wrong. */
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

/** Validates data. Returns each error with the path of its field. */
export function issuesOf(schema: RJSFSchema, data: unknown): Issue[] {
  if (data === undefined) return [{ path: [], message: "is required" }];
  const { errors } = new Validator(structuredClone(schema) as Schema, "2020-12", false).validate(asJson(data));
  const issues = new Map<string, Issue>();
  for (const unit of ofMeantAlternatives(errors)) {
    if (SUMMARIES.has(unit.keyword)) continue;
    const path = partsOf(unit.instanceLocation);
    // A missing field is reported at its parent. It belongs at the field.
    const missing = unit.keyword === "required" ? /"(.+)"/.exec(unit.error)?.[1] : undefined;
    if (missing !== undefined) path.push(missing);
    // An entry was added to a list and left empty.
    const isEmpty = unit.keyword === "type" && valueIn(data, path) === undefined;
    const message = isEmpty ? "is required" : messageOf(unit, schema);
    issues.set(JSON.stringify([path, message]), { path, message });
  }
  return [...issues.values()];
}

/**
 * Removes the errors of alternatives that were not chosen. When the value's type fits exactly one alternative, only
 * the errors of that one remain.
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

/** Returns an error as text for the user. */
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
      // A format comes with its pattern, whose error is redundant.
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

/** Returns the schema value at a keyword's location, which passes through references. */
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

/** Splits a JSON pointer such as `#/a/b~1c`. */
function partsOf(pointer: string): string[] {
  return decodeURI(pointer)
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Removes undefined values, which JSON lacks and forms leave in empty fields. */
function asJson(data: unknown): unknown {
  return data === undefined ? undefined : JSON.parse(JSON.stringify(data));
}
