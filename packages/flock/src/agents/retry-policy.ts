import { z } from "zod";
import { checkOptions, FlockError, type LocalErrorCode } from "../core/errors.ts";
import { booleanOf, syncFunction } from "../core/predicate.ts";

/** Options for retrying an agent's failed runs. */
export interface RetryOptions {
  /** Total number of attempts, including the first one: an integer ≥ 1. */
  readonly attempts: number;
  /** Delay after the first failure, in ms. Default: 1,000. */
  readonly delay?: number;
  /** Factor by which each delay grows, ≥ 1. Default: 2. */
  readonly factor?: number;
  /** Upper limit of a delay, in ms. Default: 60,000. */
  readonly maxDelay?: number;
  /**
   * Random share of each delay, from 0 to 1. With 0.5, a delay takes 50 to 100 % of its full length, which spreads
   * retries of runs that failed together. Default: 0.5.
   */
  readonly jitter?: number;
  /**
   * Returns whether an error is worth another attempt. Default: every timeout, and every error that may go away.
   */
  readonly when?: (error: unknown) => boolean;
}

/** Longest delay that Node's timers support, in ms (about 25 days). */
const LONGEST = 2 ** 31 - 1;

const optionsSchema = z.strictObject({
  attempts: z.int().min(1),
  delay: z.number().min(0).max(LONGEST).default(1_000),
  factor: z.number().min(1).default(2),
  maxDelay: z.number().min(0).max(LONGEST).default(60_000),
  jitter: z.number().min(0).max(1).default(0.5),
  when: syncFunction.transform((when) => when as (error: unknown) => boolean).default(() => isTemporary),
});

/** Limit of a provider's `Retry-After`, in ms (one hour). A longer one is most likely a mistake. */
const MAX_RETRY_AFTER = 60 * 60_000;

/** Errors in the code or its setup: a retry would fail the same way. A spent budget also stays spent. */
const PERMANENT = new Set<string>([
  "budget_exceeded",
  "wrong_output",
  "not_a_draft",
  "invalid_options",
  "invalid_payload",
  "duplicate_artifact_type",
  "missing_dependency",
  "model_unavailable",
] satisfies (LocalErrorCode | "invalid_payload")[]);

/** Decides whether and when an agent's failed runs are retried. */
export class RetryPolicy {
  readonly #options: z.output<typeof optionsSchema>;

  /** @throws FlockError `invalid_options`, naming each invalid option. */
  constructor(what: string, options: RetryOptions) {
    this.#options = checkOptions(what, optionsSchema, options);
  }

  /**
   * Returns the delay before the next attempt, in ms; undefined when there is none.
   * @param failures number of consecutive failures, from 1.
   * @param now current time in ms, for a `Retry-After` date.
   * @param random number from 0 to below 1.
   */
  delayAfter(failures: number, error: unknown, now: number, random: number = Math.random()): number | undefined {
    const { attempts, delay, factor, maxDelay, jitter, when } = this.#options;
    if (failures >= attempts || !booleanOf("`when` of `.retry(…)`", when(error))) return undefined;
    const longest = delay === 0 ? 0 : Math.min(maxDelay, delay * factor ** (failures - 1));
    const own = longest * (1 - jitter * random);
    return Math.max(own, Math.min(retryAfterOf(error, now), MAX_RETRY_AFTER));
  }
}

function isTemporary(error: unknown): boolean {
  if (error instanceof FlockError && PERMANENT.has(error.code)) return false;
  // The AI SDK marks errors that are final, such as a wrong key.
  return (causeOf(error) as { isRetryable?: unknown } | undefined)?.isRetryable !== false;
}

/** Returns the delay that the model's provider requests in `Retry-After` (seconds or a date), in ms. */
function retryAfterOf(error: unknown, now: number): number {
  const { responseHeaders } = (causeOf(error) ?? {}) as { responseHeaders?: Record<string, string> };
  const retryAfter = responseHeaders?.["retry-after"];
  if (retryAfter === undefined) return 0;
  const ms = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0);
}

function causeOf(error: unknown): object | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null ? cause : undefined;
}
