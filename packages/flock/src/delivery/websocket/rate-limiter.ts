/** The rate limits of a connection. */
export interface RateLimits {
  /** How many commands may arrive at once after a pause. */
  readonly commandBurst: number;
  /** How many commands per second are allowed in the long run. */
  readonly commandsPerSecond: number;
  /** How long a connection may exceed the rate before it is closed, in seconds. */
  readonly overBudgetSeconds: number;
}

/** Generous: people and agents never reach the limits. A program that sends 10,000 commands at once waits 18 seconds for the last. */
export const DEFAULT_LIMITS: RateLimits = { commandBurst: 1_000, commandsPerSecond: 500, overBudgetSeconds: 60 };

/** This many bytes of a message cost as much as a command: parsing JSON takes time as well. */
const BYTES_PER_COMMAND = 16 * 1024;
/** The cost of a replay, in commands. */
const COMMANDS_PER_REPLAY = 100;
/** The shortest delay, in ms: long enough to earn several commands. */
const SHORTEST_DELAY_MS = 50;
/** A connection without a delay for this long is within its rate again. In ms. */
const WITHIN_RATE_AFTER_MS = 1_000;

/**
 * A token bucket for one connection. A connection may act while the bucket has a token, and pays afterwards: an expensive
 * command is never refused, but followed by a longer delay. Times are monotonic, in ms.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  #tokens: number;
  #refilledAt: number;
  #overSince = 0;
  #delayedUntil = Number.NEGATIVE_INFINITY;

  constructor(limits: RateLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.commandBurst;
    this.#refilledAt = now;
  }

  /** Pays for a message of this size. */
  payForMessage(bytes: number): void {
    this.#tokens -= 1 + bytes / BYTES_PER_COMMAND;
  }

  /** Pays for a reply of this size, in addition to its message. */
  payForReply(bytes: number): void {
    this.#tokens -= bytes / BYTES_PER_COMMAND;
  }

  /** Pays for a replay, in addition to its message. */
  payForReplay(): void {
    this.#tokens -= COMMANDS_PER_REPLAY;
  }

  /** Refills the bucket. Returns whether it is empty. */
  isSpent(now: number): boolean {
    const { commandBurst, commandsPerSecond } = this.#limits;
    this.#tokens = Math.min(commandBurst, this.#tokens + ((now - this.#refilledAt) / 1_000) * commandsPerSecond);
    this.#refilledAt = now;
    return this.#tokens < 1;
  }

  /**
   * Returns how long the connection has to wait, in ms, when the bucket is empty. Undefined: it has exceeded the rate for
   * too long, with delays in every second of that time.
   */
  delay(now: number): number | undefined {
    const { commandsPerSecond, overBudgetSeconds } = this.#limits;
    if (now - this.#delayedUntil > WITHIN_RATE_AFTER_MS) this.#overSince = now;
    if (now - this.#overSince > overBudgetSeconds * 1_000) return undefined;
    const delay = Math.max(SHORTEST_DELAY_MS, (1_000 * (1 - this.#tokens)) / commandsPerSecond);
    this.#delayedUntil = now + delay;
    return delay;
  }
}
