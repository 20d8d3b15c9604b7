import { z } from "zod";
import { checkOptions, FlockError, type LocalErrorCode } from "../core/errors.ts";

/** How an agent's failed runs are tried again. */
export interface RetryOptions {
  /** How many attempts there are in all, the first one included: a whole number from 1. */
  readonly attempts: number;
  /** How long after the first failure the next attempt begins, in ms. Default 1,000. */
  readonly delay?: number;
  /** Each further wait is so many times as long as the one before, from 1. Default 2. */
  readonly factor?: number;
  /** No wait is longer than this, in ms. Default 60,000. */
  readonly maxDelay?: number;
  /**
   * How much of each wait is left to chance, from 0 to 1: with 0.5 it takes between half of its time and all of it, so
   * that what failed together does not come back together. Default 0.5.
   */
  readonly jitter?: number;
  /** Whether an error is worth another attempt. Default: every timeout, and every error that may go away by itself. */
  readonly when?: (error: unknown) => boolean;
}

/** The longest wait that can be asked for, in ms: some 25 days, what a timer of Node takes. */
const LONGEST = 2 ** 31 - 1;

const optionsSchema = z.strictObject({
  attempts: z.int().min(1),
  delay: z.number().min(0).max(LONGEST).default(1_000),
  factor: z.number().min(1).default(2),
  maxDelay: z.number().min(0).max(LONGEST).default(60_000),
  jitter: z.number().min(0).max(1).default(0.5),
  when: z
    .custom<(error: unknown) => boolean>((value) => typeof value === "function", "must be a function")
    .default(() => mayGoAway),
});

/** A provider may ask for a longer wait than ours, but not for one that looks like a mistake: an hour, in ms. */
const MAX_ASKED = 60 * 60_000;

/** Mistakes of the code, or of its surroundings: the next attempt would meet the same. What is spent stays spent, too. */
const LASTING = new Set<string>([
  "budget_exceeded",
  "wrong_output",
  "not_a_draft",
  "invalid_options",
  "invalid_payload",
  "duplicate_artifact_type",
  "missing_dependency",
  "model_unavailable",
] satisfies (LocalErrorCode | "invalid_payload")[]);

/** When, and whether, an agent's failed runs are tried again. */
export class RetryPolicy {
  readonly #options: z.output<typeof optionsSchema>;

  /** @throws FlockError `invalid_options`, naming each wrong option. */
  constructor(what: string, options: RetryOptions) {
    this.#options = checkOptions(what, optionsSchema, options);
  }

  /**
   * How long to wait after so many failures in a row (1 for the first) until the next attempt, in ms; undefined when
   * there is to be none. `random`: a number from 0 to below 1. `now`: for a provider that names a time.
   */
  delayAfter(failures: number, error: unknown, now: number, random: number = Math.random()): number | undefined {
    const { attempts, delay, factor, maxDelay, jitter, when } = this.#options;
    if (failures >= attempts || !when(error)) return undefined;
    const longest = delay === 0 ? 0 : Math.min(maxDelay, delay * factor ** (failures - 1));
    const own = longest * (1 - jitter * random);
    return Math.max(own, Math.min(askedFor(error, now), MAX_ASKED));
  }
}

function mayGoAway(error: unknown): boolean {
  if (error instanceof FlockError && LASTING.has(error.code)) return false;
  // The AI SDK knows which answers of a provider are final: a wrong key stays wrong.
  return (causeOf(error) as { isRetryable?: unknown } | undefined)?.isRetryable !== false;
}

/** How long the provider of a model wants to be left alone, in ms: its `Retry-After`, in seconds or as a date. */
function askedFor(error: unknown, now: number): number {
  const { responseHeaders } = (causeOf(error) ?? {}) as { responseHeaders?: Record<string, string> };
  const asked = responseHeaders?.["retry-after"];
  if (asked === undefined) return 0;
  const ms = /^\d+(\.\d+)?$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - now;
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0);
}

function causeOf(error: unknown): object | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null ? cause : undefined;
}
