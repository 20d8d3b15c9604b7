import { type OutputUnit, Validator } from "@cfworker/json-schema";
import type { RJSFValidationError, ValidatorType } from "@rjsf/utils";
import { toErrorSchema } from "@rjsf/utils";

/** Validates forms by JSON Schema without compiling code, so that a strict content security policy may stand. */
export const schemaValidator: ValidatorType = {
  validateFormData(formData, schema, _customValidate, transformErrors, uiSchema) {
    const raw = errorsOf(schema, formData);
    const errors = transformErrors ? transformErrors(raw, uiSchema) : raw;
    return { errors, errorSchema: toErrorSchema(errors) };
  },
  isValid: (schema, formData) => errorsOf(schema, formData).length === 0,
  rawValidation: (schema, formData) => ({ errors: errorsOf(schema, formData) as never[] }),
};

/** Keywords that only say that something below them is wrong. */
const SUMMARIES = new Set(["properties", "items", "additionalProperties", "$ref", "allOf", "prefixItems"]);

/** What is wrong, each with the path of its field. */
export function errorsOf(schema: unknown, data: unknown): RJSFValidationError[] {
  const { errors } = new Validator(schema as never, "2020-12", false).validate(withoutUndefined(data));
  return errors.filter(({ keyword }) => !SUMMARIES.has(keyword)).map(toFormError);
}

function toFormError({ keyword, error, instanceLocation }: OutputUnit): RJSFValidationError {
  const path = instanceLocation.replace(/^#\/?/, "").split("/").filter(Boolean);
  // A missing field is reported at its parent, and belongs at the field.
  const missing = keyword === "required" ? /"([^"]+)"/.exec(error)?.[1] : undefined;
  const message = missing === undefined ? error : "is required";
  const property = [...path, ...(missing === undefined ? [] : [missing])].map((part) => `.${part}`).join("");
  return { name: keyword, message, property, stack: `${property} ${message}` };
}

/** JSON knows no undefined; forms leave it where a field is empty. */
function withoutUndefined(data: unknown): unknown {
  return data === undefined ? {} : JSON.parse(JSON.stringify(data));
}
