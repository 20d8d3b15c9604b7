import type { RJSFSchema, UiSchema } from "@rjsf/utils";

/** Names of fields that hold long texts. */
const LONG_TEXT = /text|body|content|description|summary|prompt/i;

const KINDS: Record<string, string> = {
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "yes or no",
  null: "nothing",
  array: "list",
  object: "object",
};

/**
 * Returns a type's JSON Schema in the form that the form library needs: alternatives have distinguishing names, and a
 * nullable field may be left empty. {@link payloadOf} converts back.
 */
export function formSchemaOf({ $schema: _dialect, title, ...schema }: RJSFSchema): RJSFSchema {
  const form = adapted(schema) as RJSFSchema;
  // A single field has no name.
  return "properties" in schema ? form : { title: title ?? "Value", ...form };
}

/** Keywords of which a schema needs at least one for a form. */
const SHAPES = ["type", "properties", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"];

/** Whether a schema accepts any value. Such a value can only be written as JSON. */
export function isAnything(schema: RJSFSchema): boolean {
  return !SHAPES.some((keyword) => keyword in schema);
}

/** Converts the form's data to a payload of the schema: empty required nullable fields become null. */
export function payloadOf(schema: RJSFSchema, data: unknown): unknown {
  if (Array.isArray(data)) {
    const { items } = schema;
    return isSchema(items) ? data.map((entry) => payloadOf(items, entry)) : data;
  }
  if (typeof data !== "object" || data === null) return data;
  const payload: Record<string, unknown> = { ...data };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!isSchema(property)) continue;
    if (payload[name] !== undefined) payload[name] = payloadOf(withoutNull(property), payload[name]);
    else if (isNullable(property) && schema.required?.includes(name)) payload[name] = null;
  }
  return payload;
}

/** Keywords whose value is data or field names, not a schema. */
const DATA = new Set(["const", "enum", "default", "examples", "required"]);

function adapted(schema: unknown): unknown {
  if (!isSchema(schema)) return schema;
  const { required, properties = {} } = schema;
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (DATA.has(keyword)) result[keyword] = value;
    else if (keyword === "items" && "prefixItems" in schema) result.additionalItems = adapted(value);
    // The form library only supports the tuple syntax from before 2020.
    else if (keyword === "prefixItems") {
      result.items = (value as RJSFSchema[]).map(adapted);
      if (!("items" in schema)) result.additionalItems = false;
    } else if (keyword === "properties")
      result[keyword] = mapped(properties, (property) => adapted(withoutNull(property)));
    else if (keyword === "$defs" || keyword === "definitions") result[keyword] = mapped(value as object, adapted);
    else if (keyword === "anyOf" || keyword === "oneOf") result[keyword] = (value as RJSFSchema[]).map(named);
    else result[keyword] = Array.isArray(value) ? value.map(adapted) : adapted(value);
  }
  if (required) result.required = required.filter((name) => !isNullable(properties[name]));
  return result;
}

function mapped(schemas: object, change: (schema: never) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, change(schema as never)]));
}

function named(option: RJSFSchema): unknown {
  return isSchema(option) ? { title: nameOf(option), ...(adapted(option) as object) } : option;
}

function isSchema(value: unknown): value is RJSFSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNullable(schema: unknown): boolean {
  if (!isSchema(schema)) return false;
  return [schema.type].flat().includes("null") || (schema.anyOf ?? []).some(isNullable);
}

/** Returns the schema without null. */
function withoutNull(schema: RJSFSchema): RJSFSchema {
  if (!isNullable(schema) || schema.type === "null") return schema;
  const { type, anyOf, ...rest } = schema;
  if (Array.isArray(type)) {
    const [first, ...others] = type.filter((each) => each !== "null");
    return { ...rest, type: others.length === 0 ? first : [first, ...others] } as RJSFSchema;
  }
  const options = (anyOf ?? []).filter((option) => !isSchema(option) || option.type !== "null");
  return (
    options.length === 1 ? { ...rest, ...(options[0] as RJSFSchema) } : { ...rest, anyOf: options }
  ) as RJSFSchema;
}

/** Returns what distinguishes an alternative: its discriminator, its title, or its type. */
function nameOf(option: RJSFSchema): string {
  const value = option.const ?? constantsOf(option)[0];
  if (value !== undefined) return String(value);
  const name = option.$ref?.split("/").at(-1);
  if (name && !name.startsWith("__")) return name;
  return [option.type ?? "object"]
    .flat()
    .map((type) => KINDS[type] ?? type)
    .join(" or ");
}

/** Returns how a form shows each field: long texts get a text area, constants are hidden. */
export function uiSchemaOf(schema: RJSFSchema): UiSchema {
  const ui: UiSchema = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property !== "object") continue;
    if (isConstant(property)) ui[name] = { "ui:widget": "hidden" };
    else if (isLongText(name, property)) ui[name] = { "ui:widget": "textarea" };
    else ui[name] = uiSchemaOf(property);
  }
  if (typeof schema.items === "object" && !Array.isArray(schema.items)) ui.items = uiSchemaOf(schema.items);
  for (const keyword of ["anyOf", "oneOf"] as const) {
    const options = schema[keyword];
    if (options)
      ui[keyword] = options.map((option) => ({
        // The choice shows its name already.
        "ui:label": false,
        ...(typeof option === "object" ? uiSchemaOf(option) : {}),
      }));
  }
  return ui;
}

function constantsOf({ properties = {} }: RJSFSchema): unknown[] {
  return Object.values(properties).flatMap((property) => (isConstant(property) ? [property.const] : []));
}

function isConstant(schema: unknown): schema is { const: unknown } {
  return isSchema(schema) && "const" in schema;
}

function isLongText(name: string, { type, enum: values, format }: RJSFSchema): boolean {
  return type === "string" && !values && !format && LONG_TEXT.test(name);
}
