import { z } from "zod";
import { checkOptions } from "../core/errors.ts";
/** When an agent is left alone for a while. */
export interface CircuitBreakerOptions {
  /** So many failures in a row open the circuit: a whole number from 1. */
  readonly failures: number;
  /** The failures must come within so many ms of each other, first to last. Default: however far apart. */
  readonly within?: number;
  /** How long the agent is left alone, in ms, before one run tries whether it works again. */
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

/** Options of a circuit breaker, checked. */
export type CircuitLimits = Readonly<z.output<typeof optionsSchema>>;

/** @throws FlockError `invalid_options`, naming each wrong option. */
export function circuitLimits(what: string, options: CircuitBreakerOptions): CircuitLimits {
  return checkOptions(what, optionsSchema, options);
}
