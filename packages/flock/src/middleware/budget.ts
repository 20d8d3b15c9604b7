import { z } from "zod";
import { costOf, type ModelPrice, type Prices, pricedNamesOf, priceOf, pricesSchema } from "../agents/prices.ts";
import type { RunContext } from "../agents/run-context.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** What may be spent. */
export interface BudgetOptions {
  /** So many tokens: `total_tokens` of what runs spend. Default: any number. */
  readonly tokens?: number;
  /** So much money: `cost` of what runs spend, and what their tokens cost by `prices`. Default: any amount. */
  readonly cost?: number;
  /**
   * What models cost, by `provider/model` or by model. Default: `prices` of the flock. A run whose model has none fails
   * when there is a limit of `cost`.
   */
  readonly prices?: Prices;
  /** What may spend that much: each run, each workflow, each agent, or all that have this component. */
  readonly per: "run" | "correlation" | "agent" | "flock";
  /** Counts what was spent in the last so many milliseconds. Default: all since the process began. */
  readonly window?: number;
}

const optionsSchema = z
  .strictObject({
    tokens: z.number().positive().optional(),
    cost: z.number().positive().optional(),
    prices: pricesSchema.optional(),
    per: z.enum(["run", "correlation", "agent", "flock"]),
    window: z.number().positive().optional(),
  })
  .refine(({ tokens, cost }) => tokens !== undefined || cost !== undefined, "give tokens, cost or both");

/** So many runs and workflows are remembered: those that have spent nothing for the longest time are forgotten first. */
const MAX_ACCOUNTS = 100_000;

interface Spent {
  readonly tokens: number;
  readonly cost: number;
}

/** A window moves on in so many steps, so that what it has to remember is bounded. */
const WINDOW_STEPS = 1_000;

/** What one run, workflow or agent has spent. */
class Account {
  /** What was spent by the end of each step, the oldest first; in all, when there is no window. */
  readonly #entries: { tokens: number; cost: number; readonly until: number }[] = [];
  readonly #window: number;

  constructor(window = Number.POSITIVE_INFINITY) {
    this.#window = window;
  }

  add({ tokens, cost }: Spent, at: number): void {
    const step = this.#window / WINDOW_STEPS;
    const until = step === Number.POSITIVE_INFINITY ? step : Math.ceil(at / step) * step;
    const last = this.#entries.at(-1);
    if (last?.until !== until) {
      this.#entries.push({ tokens, cost, until });
      return;
    }
    last.tokens += tokens;
    last.cost += cost;
  }

  at(now: number): Spent {
    while (this.#entries[0] && this.#entries[0].until <= now - this.#window) this.#entries.shift();
    const sum = { tokens: 0, cost: 0 };
    for (const { tokens, cost } of this.#entries) {
      sum.tokens += tokens;
      sum.cost += cost;
    }
    return sum;
  }
}

class Budget extends AgentComponent {
  readonly name = "budget";
  readonly #options: BudgetOptions;
  /** By what they are per, those that spent something last at the end. */
  readonly #accounts = new Map<string, Account>();

  constructor(options: BudgetOptions) {
    super();
    this.#options = options;
  }

  override consume(_artifacts: unknown, run: RunContext): undefined {
    if (this.#options.cost !== undefined) this.#priceOf(run);
    const account = this.#accounts.get(this.#keyOf(run));
    if (!account) return;
    const { tokens: maxTokens = Number.POSITIVE_INFINITY, cost: maxCost = Number.POSITIVE_INFINITY } = this.#options;
    const { tokens, cost } = account.at(this.clock.now());
    if (tokens >= maxTokens || cost >= maxCost) throw this.#exceeded(run, { tokens, cost }, "did not run");
  }

  override usage(amounts: Readonly<Record<string, number>>, run: RunContext): void {
    const spent = this.#spentOf(amounts, run);
    if (spent.tokens === 0 && spent.cost === 0) return;
    const {
      tokens: maxTokens = Number.POSITIVE_INFINITY,
      cost: maxCost = Number.POSITIVE_INFINITY,
      per,
    } = this.#options;
    const key = this.#keyOf(run);
    const account = this.#accounts.get(key) ?? new Account(this.#options.window);
    account.add(spent, this.clock.now());
    this.#accounts.delete(key);
    this.#accounts.set(key, account);
    if (this.#accounts.size > MAX_ACCOUNTS) this.#accounts.delete(this.#accounts.keys().next().value as string);
    const { tokens, cost } = account.at(this.clock.now());
    // A shared budget lets those finish who are at work: what they have spent would be lost.
    if (per === "run" && (tokens > maxTokens || cost > maxCost))
      throw this.#exceeded(run, { tokens, cost }, "was stopped");
  }

  #spentOf(amounts: Readonly<Record<string, number>>, run: RunContext): Spent {
    const input = amountOf(amounts.input_tokens);
    const output = amountOf(amounts.output_tokens);
    const price = this.#options.cost === undefined ? undefined : this.#priceOf(run);
    const priced = price ? costOf(price, { input, output }) : 0;
    return {
      tokens: amounts.total_tokens === undefined ? input + output : amountOf(amounts.total_tokens),
      cost: amounts.cost === undefined ? priced : amountOf(amounts.cost),
    };
  }

  /** Undefined for a run that has no model. */
  #priceOf({ model, prices }: RunContext): ModelPrice | undefined {
    if (model === undefined) return undefined;
    const price = priceOf(model, this.#options.prices ?? {}) ?? priceOf(model, prices);
    if (price) return price;
    const [name] = pricedNamesOf(model);
    throw new FlockError(
      "budget_exceeded",
      `there is no price for the model ${name}, so nobody knows what it may do for ${this.#options.cost}: ` +
        `give budget({ prices: { ${JSON.stringify(name)}: { input, output } } })`,
    );
  }

  #keyOf({ agent, runId, correlationId }: RunContext): string {
    switch (this.#options.per) {
      case "run":
        return runId;
      case "correlation":
        return correlationId;
      case "agent":
        return agent;
      case "flock":
        return "";
    }
  }

  #exceeded({ agent, correlationId }: RunContext, spent: Spent, what: string): FlockError {
    const { tokens, cost, per, window } = this.#options;
    const whose = { run: "the run", correlation: `workflow ${correlationId}`, agent, flock: "the flock" }[per];
    const parts = [
      ...(tokens === undefined ? [] : [`${spent.tokens} of ${tokens} tokens`]),
      ...(cost === undefined ? [] : [`${Number(spent.cost.toPrecision(6))} of ${cost} in money`]),
    ];
    const within = window === undefined ? "" : ` in the last ${window} ms`;
    return new FlockError(
      "budget_exceeded",
      `${agent} ${what}: ${whose} has spent ${parts.join(" and ")}${within}. ` +
        `${window === undefined ? "Raise the limit of its budget" : "Wait, or raise the limit of its budget"}.`,
    );
  }
}

function amountOf(amount: number | undefined): number {
  return amount !== undefined && Number.isFinite(amount) ? amount : 0;
}

/**
 * Stops what costs too much. A run that begins when all is spent fails with `budget_exceeded`, before its model is asked.
 * With `per: "run"` a run is stopped as soon as it says that it has spent more: a model does after each step, so between
 * two calls of tools and before it is asked again. A budget that is shared lets runs finish that are at work. It counts
 * what runs say they spend (`addUsage`; models do), from the start of the process.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * new Flock({ model: "openai/gpt-4.1", components: [budget({ tokens: 1_000_000, per: "flock", window: 86_400_000 })] });
 */
export function budget(options: BudgetOptions): AgentComponent {
  return new Budget(checkOptions("budget", optionsSchema, options) as BudgetOptions);
}
