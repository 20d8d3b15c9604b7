import { z } from "zod";

/**
 * Validates an integer in a query, in decimal digits only: `Number` would also accept an empty text, `0x10` and `1e3`.
 * @param limits the smallest and the largest value.
 */
export function queryInteger({ min, max = Number.MAX_SAFE_INTEGER }: { readonly min: number; readonly max?: number }) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const message = `must be an integer ${range}, in decimal digits`;
  return z
    .string(message)
    .regex(/^-?\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.int().min(min, message).max(max, message));
}
