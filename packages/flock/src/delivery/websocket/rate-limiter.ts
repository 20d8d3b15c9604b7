/** What one connection may ask of the server. */
export interface RateLimits {
  /** How many commands may come at once, after silence. */
  readonly commandBurst: number;
  /** How many commands a second there may be in the long run. */
  readonly commandsPerSecond: number;
  /** How long a connection may go on asking for more than that, in seconds, before it is closed. */
  readonly overBudgetSeconds: number;
}

/** Generous: people and agents never get there, and a program that sends ten thousand at once waits 18 seconds for the last one. */
export const DEFAULT_LIMITS: RateLimits = { commandBurst: 1_000, commandsPerSecond: 500, overBudgetSeconds: 60 };

/** So many bytes of a message are worth a command: reading JSON takes time as well. */
const BYTES_PER_COMMAND = 16 * 1024;
/** A replay from the log is worth so many commands. */
const COMMANDS_PER_REPLAY = 100;
/** The shortest rest in ms: long enough that a few commands' worth comes together. */
const SHORTEST_REST_MS = 50;
/** Whoever did not have to rest for so long is within its budget again. In ms. */
const WITHIN_BUDGET_AFTER_MS = 1_000;

/**
 * What one connection has left: a token bucket. A connection acts while there is something in it and pays afterwards,
 * so what is expensive is paid by a longer rest and never impossible. Times are those of `performance.now()`.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  #left: number;
  #at: number;
  #overSince = 0;
  #restedUntil = Number.NEGATIVE_INFINITY;

  constructor(limits: RateLimits, now: number) {
    this.#limits = limits;
    this.#left = limits.commandBurst;
    this.#at = now;
  }

  /** Pays for a message of so many bytes. */
  payForMessage(bytes: number): void {
    this.#left -= 1 + bytes / BYTES_PER_COMMAND;
  }

  /** Pays for a reply of so many bytes, on top of the message that it answers. */
  payForReply(bytes: number): void {
    this.#left -= bytes / BYTES_PER_COMMAND;
  }

  /** Pays for a replay, on top of the message that asks for it. */
  payForReplay(): void {
    this.#left -= COMMANDS_PER_REPLAY;
  }

  /** Whether nothing is left. */
  isSpent(now: number): boolean {
    const { commandBurst, commandsPerSecond } = this.#limits;
    this.#left = Math.min(commandBurst, this.#left + ((now - this.#at) / 1_000) * commandsPerSecond);
    this.#at = now;
    return this.#left < 1;
  }

  /**
   * The connection has to rest, because nothing is left. Returns for how long, in ms; undefined when it has been over
   * its budget for too long: when no second in all that time has passed without a rest.
   */
  rest(now: number): number | undefined {
    const { commandsPerSecond, overBudgetSeconds } = this.#limits;
    if (now - this.#restedUntil > WITHIN_BUDGET_AFTER_MS) this.#overSince = now;
    if (now - this.#overSince > overBudgetSeconds * 1_000) return undefined;
    const rest = Math.max(SHORTEST_REST_MS, (1_000 * (1 - this.#left)) / commandsPerSecond);
    this.#restedUntil = now + rest;
    return rest;
  }
}
