import { z } from "zod";
import { type Issue, issuesOf, MAX_ISSUES } from "./errors.ts";

/** Values with more parts than this are validated up to the first fatal issue of each list or object. */
const LARGE = 10_000;

/** What a validation returns: the parsed value, or what is wrong with it. */
export type Validation<T> =
  | { readonly data: T; readonly issues?: undefined }
  | { readonly data?: undefined; readonly issues: Issue[] };

/**
 * Validates a value of unknown origin and reports at most {@link MAX_ISSUES} issues. `schema.safeParse` finalizes every
 * issue of a value with millions of wrong items, which takes more time and memory than a process has.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown): Validation<z.output<S>> {
  const context = { async: false, abortEarly: isLarge(value) };
  const result = schema._zod.run({ value, issues: [] }, context);
  if (result instanceof Promise) throw new z.core.$ZodAsyncError();
  const { issues } = result;
  if (issues.length === 0) return { data: result.value as z.output<S> };
  const reported = issues
    .slice(0, MAX_ISSUES)
    .map((issue) => z.core.util.finalizeIssue(issue, context, z.core.config()));
  return { issues: issuesOf({ issues: reported }, issues.length) };
}

/** Whether a value has more than {@link LARGE} parts. Stops counting there. */
function isLarge(value: unknown): boolean {
  const left = [value];
  for (let count = 0; left.length > 0; ) {
    const part = left.pop();
    if (typeof part !== "object" || part === null) continue;
    const parts = Array.isArray(part) ? part : Object.values(part);
    count += parts.length;
    if (count > LARGE) return true;
    for (const one of parts) if (typeof one === "object" && one !== null) left.push(one);
  }
  return false;
}
