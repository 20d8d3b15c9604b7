import { z } from "zod";
import { type Model, modelsOf } from "../agents/model.ts";
import { costOf, type ModelPrice, type Prices, pricedNamesOf, priceOf, pricesSchema } from "../agents/prices.ts";
import type { RunContext } from "../agents/run-context.ts";
import { elapsed } from "../core/clock.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import { AgentComponent } from "./agent-component.ts";

/** Options of a budget. */
export interface BudgetOptions {
  /** Token limit, compared with `total_tokens` of the usage. Default: any number. */
  readonly tokens?: number;
  /** Cost limit: `cost` of the usage, or its tokens multiplied by `prices`. Default: any amount. */
  readonly cost?: number;
  /**
   * Model prices by `provider/model` or by model. With a `cost` limit, runs with an unlisted model fail. Default:
   * `prices` of the flock.
   */
  readonly prices?: Prices;
  /** Scope of the limit: each run, each workflow, each agent, or all runs with this component. */
  readonly per: "run" | "correlation" | "agent" | "flock";
  /** Length of the sliding window, in ms. Default: all since the process began. */
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
  .refine(({ tokens, cost }) => tokens !== undefined || cost !== undefined, "must contain `tokens`, `cost` or both");

/** Maximum number of accounts. The least recently used ones are evicted first. */
const MAX_ACCOUNTS = 100_000;

interface Spent {
  readonly tokens: number;
  readonly cost: number;
}

/** Number of steps in a sliding window, which bounds its memory. */
const WINDOW_STEPS = 1_000;

/** Usage of one run, workflow or agent. */
class Account {
  /** Usage by step, oldest first; a single entry without a window. */
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
  /** By scope key, least recently used first. */
  readonly #accounts = new Map<string, Account>();

  constructor(options: BudgetOptions) {
    super();
    this.#options = options;
  }

  override consume(_artifacts: unknown, run: RunContext): undefined {
    if (this.#options.cost !== undefined) this.#pricesOf(run);
    const account = this.#accounts.get(this.#keyOf(run));
    if (!account) return;
    const { tokens: maxTokens = Number.POSITIVE_INFINITY, cost: maxCost = Number.POSITIVE_INFINITY } = this.#options;
    const { tokens, cost } = account.at(elapsed(this.clock));
    if (tokens >= maxTokens || cost >= maxCost)
      throw this.#exceeded(run, { tokens, cost }, `Run of agent \`${run.agent}\` was not started`);
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
    account.add(spent, elapsed(this.clock));
    this.#accounts.delete(key);
    this.#accounts.set(key, account);
    if (this.#accounts.size > MAX_ACCOUNTS) this.#accounts.delete(this.#accounts.keys().next().value as string);
    const { tokens, cost } = account.at(elapsed(this.clock));
    // Runs in progress may exceed a shared budget: stopping them would waste what they have used.
    if (per === "run" && (tokens > maxTokens || cost > maxCost))
      throw this.#exceeded(run, { tokens, cost }, `Run of agent \`${run.agent}\` was stopped`);
  }

  #spentOf(amounts: Readonly<Record<string, number>>, run: RunContext): Spent {
    const input = amountOf(amounts.input_tokens);
    const output = amountOf(amounts.output_tokens);
    const prices = this.#options.cost === undefined ? [] : this.#pricesOf(run);
    // Of several models, it is not known which one answered.
    const priced = Math.max(0, ...prices.map((price) => costOf(price, { input, output })));
    return {
      tokens: amounts.total_tokens === undefined ? input + output : amountOf(amounts.total_tokens),
      cost: amounts.cost === undefined ? priced : amountOf(amounts.cost),
    };
  }

  /**
   * Returns the prices of the run's models; none for a run without a model.
   * @throws FlockError `budget_exceeded` when a model has no price.
   */
  #pricesOf({ model, prices }: RunContext): ModelPrice[] {
    return model === undefined ? [] : modelsOf(model).map((each) => this.#priceOf(each, prices));
  }

  #priceOf(model: Model, prices: Prices): ModelPrice {
    const price = priceOf(model, this.#options.prices ?? {}) ?? priceOf(model, prices);
    if (price) return price;
    const [name] = pricedNamesOf(model);
    throw new FlockError(
      "budget_exceeded",
      `Budget of ${this.#options.cost} cannot be enforced: model \`${name}\` has no price. ` +
        `Set it with \`budget({ prices: { ${JSON.stringify(name)}: { input, output } } })\`.`,
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

  #exceeded({ correlationId }: RunContext, spent: Spent, failure: string): FlockError {
    const { tokens, cost, per, window } = this.#options;
    const scope = {
      run: "the run",
      correlation: `workflow \`${correlationId}\``,
      agent: "the agent",
      flock: "the flock",
    }[per];
    const parts = [
      ...(tokens === undefined ? [] : [`${spent.tokens} of ${tokens} tokens`]),
      ...(cost === undefined ? [] : [`${Number(spent.cost.toPrecision(6))} of ${cost} in cost`]),
    ];
    const within = window === undefined ? "" : ` in the last ${window} ms`;
    return new FlockError(
      "budget_exceeded",
      `${failure}: ${scope} has used ${parts.join(" and ")}${within}. ` +
        `${window === undefined ? "Raise the budget" : "Wait, or raise the budget"}.`,
    );
  }
}

function amountOf(amount: number | undefined): number {
  return amount !== undefined && Number.isFinite(amount) ? amount : 0;
}

/**
 * Creates a component that stops runs over a budget. A run that starts over budget fails with `budget_exceeded` before
 * its model is called.
 * With `per: "run"`, a run is stopped as soon as it reports too much usage. Models report after each step, so it stops
 * between tool calls and before the next model call. With a shared budget, runs in progress finish.
 * The budget counts what runs report with `addUsage`, as models do, since the start of the process.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * new Flock({ model: "openai/gpt-4.1", components: [budget({ tokens: 1_000_000, per: "flock", window: 86_400_000 })] });
 */
export function budget(options: BudgetOptions): AgentComponent {
  return new Budget(checkOptions("budget", optionsSchema, options) as BudgetOptions);
}
