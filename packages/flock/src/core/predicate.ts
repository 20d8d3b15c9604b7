import { z } from "zod";
import { FlockError, type LocalErrorCode } from "./errors.ts";

/** Validates a function that must return its result at once. Functions that return promises are found when called. */
export const syncFunction = z.custom<() => never>(
  (value) => typeof value === "function" && value.constructor.name === "Function",
  {
    error: ({ input }) => (typeof input === "function" ? "must be a plain function, not async" : "must be a function"),
  },
);

/**
 * Returns what a predicate returned.
 * @throws FlockError with `code` (default `invalid_options`) unless it is a boolean. A promise is truthy, so it must never count as a result.
 */
export function booleanOf(what: string, result: unknown, code?: LocalErrorCode): boolean {
  if (typeof result === "boolean") return result;
  throw wrongResult(what, result, "a boolean", code);
}

/**
 * Returns the key that a function returned.
 * @throws FlockError `invalid_options` unless it is a string, a number, a bigint or a boolean. All objects would share
 * one key.
 */
export function keyOf(what: string, result: unknown): string {
  switch (typeof result) {
    case "string":
      return result;
    case "number":
    case "bigint":
    case "boolean":
      return String(result);
  }
  throw wrongResult(what, result, "a string");
}

/** Returns the error for a function that returned something else than `expected`. */
export function wrongResult(
  what: string,
  result: unknown,
  expected: string,
  code: LocalErrorCode = "invalid_options",
): FlockError {
  const got = isPromise(result)
    ? "a promise"
    : typeof result === "object" && result !== null
      ? "an object"
      : typeof result === "function"
        ? "a function"
        : `\`${typeof result === "string" ? JSON.stringify(result) : String(result)}\``;
  return new FlockError(code, `Invalid result of ${what}: it returned ${got}. Return ${expected}.`);
}

/** Returns whether a value is a promise. Handles its rejection, which would end the process otherwise. */
export function isPromise(value: unknown): boolean {
  if (typeof (value as { then?: unknown } | null | undefined)?.then !== "function") return false;
  Promise.resolve(value as PromiseLike<unknown>).catch(() => {});
  return true;
}
