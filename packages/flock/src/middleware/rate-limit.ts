import { z } from "zod";
import { elapsed } from "../core/clock.ts";
import { checkOptions } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** Options of a rate limit. */
export interface RateLimitOptions {
  /** Number of runs that may start in a window: an integer ≥ 1. */
  readonly runs: number;
  /** Length of the sliding window in ms: an integer ≥ 1. */
  readonly per: number;
}

const optionsSchema = z.strictObject({ runs: z.int().min(1), per: z.int().min(1) });

class RateLimit extends AgentComponent {
  readonly name = "rate-limit";
  readonly #runs: number;
  readonly #per: number;
  /** Start times of the newest runs on the monotonic clock, in ms; at most `runs` of them. */
  #begun: number[] = [];

  constructor({ runs, per }: RateLimitOptions) {
    super();
    this.#runs = runs;
    this.#per = per;
  }

  override schedule(): number {
    const now = elapsed(this.clock);
    // Start times in the future, after the clock was set back, must not delay runs.
    if ((this.#begun.at(-1) ?? 0) > now) this.#begun = this.#begun.filter((at) => at <= now);
    if (this.#begun.length < this.#runs) return 0;
    return Math.max(0, (this.#begun[0] as number) + this.#per - now);
  }

  override consume(): undefined {
    this.#begun.push(elapsed(this.clock));
    if (this.#begun.length > this.#runs) this.#begun.shift();
  }
}

/**
 * Creates a component that limits how many runs start in any window of `per` milliseconds. Further runs wait in their
 * agent's queue, in order, and can be cancelled there.
 * Shared by several agents, or set on the flock, it limits them together in turn. It counts from the start of the
 * process.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * flock.agent("chef").consumes(Idea).publishes(Pizza).use(rateLimit({ runs: 10, per: 60_000 }));
 */
export function rateLimit(options: RateLimitOptions): AgentComponent {
  return new RateLimit(checkOptions("rateLimit", optionsSchema, options));
}
