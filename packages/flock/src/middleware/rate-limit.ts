import { z } from "zod";
import { checkOptions } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** How many runs may begin. */
export interface RateLimitOptions {
  /** So many runs, from 1. */
  readonly runs: number;
  /** In any stretch of so many milliseconds, from 1. */
  readonly per: number;
}

const optionsSchema = z.strictObject({ runs: z.int().min(1), per: z.int().min(1) });

class RateLimit extends AgentComponent {
  readonly name = "rate-limit";
  readonly #runs: number;
  readonly #per: number;
  /** When the newest runs began, in ms since 1970: as many as may begin. */
  #begun: number[] = [];

  constructor({ runs, per }: RateLimitOptions) {
    super();
    this.#runs = runs;
    this.#per = per;
  }

  override schedule(): number {
    const now = this.clock.now();
    // A clock that was put back would make runs wait for what it says is still to come.
    if ((this.#begun.at(-1) ?? 0) > now) this.#begun = this.#begun.filter((at) => at <= now);
    if (this.#begun.length < this.#runs) return 0;
    return Math.max(0, (this.#begun[0] as number) + this.#per - now);
  }

  override consume(): undefined {
    this.#begun.push(this.clock.now());
    if (this.#begun.length > this.#runs) this.#begun.shift();
  }
}

/**
 * Lets no more than so many runs begin in any stretch of time: further ones wait in their agent's queue, in order, and may
 * be cancelled there. Given to several agents, or to the flock, it limits them together, and they take turns. It counts
 * from the start of the process.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * flock.agent("chef").consumes(Idea).publishes(Pizza).use(rateLimit({ runs: 10, per: 60_000 }));
 */
export function rateLimit(options: RateLimitOptions): AgentComponent {
  return new RateLimit(checkOptions("rateLimit", optionsSchema, options));
}
