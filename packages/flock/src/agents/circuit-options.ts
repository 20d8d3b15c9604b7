import { z } from "zod";
import { checkOptions } from "../core/errors.ts";
/** Options of a circuit breaker. */
export interface CircuitBreakerOptions {
  /** Number of consecutive failures that open the circuit: an integer ≥ 1. */
  readonly failures: number;
  /** The failures must happen within this time, in ms, from first to last. Default: however far apart. */
  readonly within?: number;
  /** Time without runs, in ms, before one trial run. */
  readonly cooldown: number;
}

const optionsSchema = z.strictObject({
  failures: z.int().min(1).max(1_000),
  within: z.number().positive().default(Number.POSITIVE_INFINITY),
  cooldown: z
    .number()
    .min(0)
    .max(2 ** 31 - 1),
});

/** Validated options of a circuit breaker. */
export type CircuitLimits = Readonly<z.output<typeof optionsSchema>>;

/**
 * Validates options of a circuit breaker.
 * @throws FlockError `invalid_options`, naming each invalid option.
 */
export function circuitLimits(what: string, options: CircuitBreakerOptions): CircuitLimits {
  return checkOptions(what, optionsSchema, options);
}
