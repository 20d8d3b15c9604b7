import { type AgentPrincipal, PUBLIC } from "@flock-ts/protocol";
import { z } from "zod";
import { type AnyArtifactType, assertArtifactTypes, type Draft, type DraftOf } from "../blackboard/artifact-type.ts";
import { tenantOf } from "../blackboard/visibility.ts";
import { checkLength, checkName, checkOptions, checkTags, FlockError } from "../core/errors.ts";
import { Redaction } from "../core/redaction.ts";
import { AgentComponent } from "../middleware/agent-component.ts";
import type { Hooks } from "../middleware/hooks.ts";
import type { BestOf, Score } from "./best-of-options.ts";
import { checkBestOf } from "./best-of-options.ts";
import type { CircuitBreakerOptions, CircuitLimits } from "./circuit-options.ts";
import { circuitLimits } from "./circuit-options.ts";
import type { ContextProvider, ContextProviders, GivenBy } from "./context-provider.ts";
import type { AgentDeclaration, AgentDefinition, Alternatives, Redact, RunFunction } from "./definition.ts";
import type { BatchOf, InputsOf } from "./inputs.ts";
import { isModelChoice, type ModelChoice, type ModelOptions, modelOptionsSchema } from "./model.ts";
import { checkOutputOptions, type OutputOptions, Outputs } from "./outputs.ts";
import type { Prices } from "./prices.ts";
import { type RetryOptions, RetryPolicy } from "./retry-policy.ts";
import {
  type CronOptions,
  cronSchedule,
  type EveryOptions,
  everySchedule,
  type Schedule,
  ScheduleTick,
} from "./schedule.ts";
import { identityOf, Subscription } from "./subscription.ts";
import { type BatchOptions, checkSubscriptionOptions, type SubscriptionOptions } from "./subscription-options.ts";
import {
  checkTools,
  type DeclaredTools,
  type ToolOptions,
  type ToolSource,
  type Tools,
  toolOptionsSchema,
} from "./tools.ts";

/** The longest description, in characters: events about the graph contain those of all agents. */
const MAX_DESCRIPTION = 10_000;
/** Default for concurrent runs of one agent, as in Flock's Python edition. */
const DEFAULT_CONCURRENCY = 2;

/**
 * Longest run of an agent with a model, in ms. Long answers of slow models take minutes; a hanging server never
 * answers.
 */
const MODEL_TIMEOUT_MS = 5 * 60_000;

/** Longest delay that Node's timers support, in ms. */
const MAX_TIMER = 2 ** 31 - 1;

type Types = readonly [AnyArtifactType, ...AnyArtifactType[]];

interface Consumed {
  readonly types: Types;
  readonly options: SubscriptionOptions;
  readonly schedule?: Schedule;
}

/** Validates a list of components. */
export const componentsSchema = z.array(z.instanceof(AgentComponent, { error: "must be a component" }));

/** The flock's settings for agents that don't set their own. */
export interface AgentDefaults {
  readonly model?: ModelChoice | undefined;
  readonly redact?: Redact | undefined;
  readonly prices?: Prices | undefined;
  /** Returns the flock's hooks combined with those of the agent's own components. */
  readonly hooksOf?: (components: readonly AgentComponent[]) => Hooks | undefined;
}

/** Validates the `redact` option. */
export const redactSchema = z.union([z.literal(false), z.array(z.instanceof(RegExp))], {
  error: "must be a list of patterns or `false`",
});

const providersSchema = z.record(
  z.string().min(1),
  z.custom<ContextProvider>((value) => typeof value === "function", "must be a function"),
);

/** Validates a model as far as the core can. */
export const modelSchema = z.custom<ModelChoice>(
  isModelChoice,
  'must be an AI SDK model or `"provider/model"`, or a list of them',
);

/**
 * Declares an agent step by step. `run` ends the declaration and activates the agent.
 * An agent without `run` has a model compute its output. It becomes active with the first publish, invoke, serve or
 * `runUntilIdle`.
 *
 * @example
 * flock.agent("chef").description("Invents pizzas").consumes(Idea).publishes(Pizza)
 *   .run(async ({ PizzaIdea }) => Pizza({ name: PizzaIdea.description, toppings: [] }));
 */
export class AgentBuilder<In = never, Out extends Draft = never, Given = Readonly<Record<never, never>>> {
  /** The agent's name. */
  readonly name: string;
  readonly #register: (definition: AgentDefinition) => void;
  /** The flock's model, until the agent sets its own. */
  #model: ModelChoice | undefined;
  #modelOptions: ModelOptions = {};
  readonly #prices: Prices | undefined;
  readonly #hooksOf: (components: readonly AgentComponent[]) => Hooks | undefined;
  #components: AgentComponent[] = [];
  #instructions = "";
  #tools: DeclaredTools[] = [];
  #context: ContextProviders | undefined;
  #redact: Redact;
  #timeout: number | undefined;
  #retry: RetryPolicy | undefined;
  #maxCrashes: number | undefined;
  #circuitBreaker: CircuitLimits | undefined;
  #description = "";
  #tags: string[] = [];
  #labels: string[] = [];
  #tenant: string | undefined;
  #consumed: Consumed[] = [];
  #publishes = new Map<string, AnyArtifactType>();
  #outputs = new Map<string, OutputOptions>();
  #concurrency = DEFAULT_CONCURRENCY;
  #priority = 0;
  #bestOf: BestOf | undefined;
  #preventSelfTrigger = true;
  #formerNames: string[] = [];
  #done = false;

  /** Used only by the flock; see `flock.agent(name)`. */
  constructor(name: string, register: (definition: AgentDefinition) => void, defaults: AgentDefaults = {}) {
    checkName("an agent", name);
    this.name = name;
    this.#register = register;
    this.#model = defaults.model;
    this.#redact = defaults.redact ?? [];
    this.#prices = defaults.prices;
    this.#hooksOf = defaults.hooksOf ?? (() => undefined);
  }

  /** Describes what the agent does, for people and for the model. Default: nothing. */
  description(text: string): this {
    this.#assertOpen();
    checkLength(`description of agent \`${this.name}\``, text, MAX_DESCRIPTION);
    this.#description = text;
    return this;
  }

  /**
   * Names what the agent was called before. It takes over the work that is left under these names: queued runs, artifacts
   * in gates, schedules, dead letters and a pause. Keep it until none of that is left. Artifacts that are private to an
   * old name stay invisible. Default: no other names.
   *
   * @example
   * flock.agent("head_chef").renamedFrom("chef").consumes(Idea).publishes(Pizza)
   *
   * @throws FlockError `invalid_name`; `duplicate_agent` when a declared agent has or claims the name.
   */
  renamedFrom(...names: string[]): this {
    this.#assertOpen();
    for (const name of names) checkName("an agent", name);
    this.#formerNames.push(...names);
    return this;
  }

  /** Adds tags to every artifact that the agent publishes. */
  tags(...tags: string[]): this {
    this.#assertOpen();
    checkTags(`tags of agent \`${this.name}\``, tags);
    this.#tags.push(...tags);
    return this;
  }

  /** Clears the agent for artifacts that require these labels. Default: no labels. */
  labels(...labels: string[]): this {
    this.#assertOpen();
    this.#labels.push(...checkOptions(this.#option("labels"), z.array(z.string().min(1)), labels));
    return this;
  }

  /**
   * Assigns the agent to a tenant. The agent may see what the tenant may, and only the tenant and the owner see the
   * agent. It publishes for that tenant, unless `publishes` sets another visibility. Default: no tenant.
   */
  tenant(id: string): this {
    this.#assertOpen();
    this.#tenant = checkOptions(this.#option("tenant"), z.string().min(1), id);
    return this;
  }

  /**
   * Triggers the agent when one artifact of each named type is available (AND gate). A type that is named n times
   * requires n artifacts. Further calls of `consumes` add alternatives (OR).
   *
   * @example
   * flock.agent("waiter").consumes(Pizza, Drink).publishes(Order)
   *   .run(({ Pizza, Drink }) => Order({ items: [Pizza.name, Drink.name] }));
   */
  consumes<const T extends Types>(...types: T): AgentBuilder<In | InputsOf<T>, Out, Given>;
  /**
   * Triggers the agent with batches: the function receives an array of payloads under the type's name, or an array of
   * groups for several types.
   *
   * @example
   * flock.agent("packer").consumes(Order, { batch: { size: 10, timeout: 5_000 } }).run(({ Order }) => void ship(Order));
   */
  consumes<const T extends Types>(
    ...args: [...types: T, options: SubscriptionOptions<T> & { readonly batch: BatchOptions }]
  ): AgentBuilder<In | BatchOf<T>, Out, Given>;
  /**
   * Triggers the agent for artifacts that meet conditions; see {@link SubscriptionOptions}.
   *
   * @example
   * flock.agent("critic").consumes(Pizza, { where: ({ payload }) => payload.toppings.length > 3 }).publishes(Review)
   */
  consumes<const T extends Types>(
    ...args: [...types: T, options: SubscriptionOptions<T> & { readonly batch?: never }]
  ): AgentBuilder<In | InputsOf<T>, Out, Given>;
  consumes(...args: unknown[]): unknown {
    this.#assertOpen();
    const last = args.at(-1);
    const types = (typeof last === "function" ? args : args.slice(0, -1)) as unknown as Types;
    assertArtifactTypes(this.#option("consumes"), types);
    const options =
      typeof last === "function" || last === undefined
        ? {}
        : checkSubscriptionOptions(this.#option("consumes"), last, types.length);
    this.#consumed.push({ types, options });
    return this;
  }

  /**
   * Triggers the agent every `ms` milliseconds with a {@link ScheduleTick}, as an alternative to `consumes`.
   * Ticks are on a fixed grid and don't drift. The schedule starts with the first publish, invoke, serve or
   * `runUntilIdle`, and keeps the process alive until `shutdown`.
   *
   * @example
   * flock.agent("poller").every(60_000).publishes(Weather).run(async () => Weather(await fetchWeather()));
   *
   * @throws FlockError `invalid_options`.
   */
  every(ms: number, options: EveryOptions = {}): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    return this.#scheduled(everySchedule(this.name, ms, options));
  }

  /**
   * Triggers the agent at the times of a cron expression: minute, hour, day of the month, month and weekday. A sixth
   * field, before them, sets seconds.
   *
   * @example
   * flock.agent("digest").cron("0 9 * * 1-5", { timezone: "Europe/Berlin" }).publishes(Digest)
   *
   * @throws FlockError `invalid_options` when the expression is invalid or never matches.
   */
  cron(
    expression: string,
    options: CronOptions = {},
  ): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    return this.#scheduled(cronSchedule(this.name, expression, options));
  }

  #scheduled(schedule: Schedule): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    this.#assertOpen();
    if (this.#consumed.some((one) => one.schedule?.spec === schedule.spec)) {
      throw new FlockError(
        "invalid_options",
        `Invalid schedule for agent \`${this.name}\`: \`${schedule.spec}\` is declared twice. Remove one of them.`,
      );
    }
    const where = ({ payload }: { readonly payload: unknown }) => (payload as { agent: string }).agent === this.name;
    this.#consumed.push({ types: [ScheduleTick], options: { where }, schedule });
    return this as unknown as AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out>;
  }

  /**
   * Names the types that the agent may publish. Default: none.
   *
   * @example
   * flock.agent("chef").consumes(Idea).publishes(Pizza, Recipe)
   */
  publishes<const T extends Types>(...types: T): AgentBuilder<In, Out | DraftOf<T[number]>, Given>;
  /**
   * Names types that the agent may publish, with conditions for their artifacts; see {@link OutputOptions}.
   *
   * @example
   * flock.agent("writer").consumes(Topic).publishes(Headline, { fanOut: 3, visibility: visibility.labelled("press") })
   */
  publishes<const T extends Types>(
    ...args: [...types: T, options: OutputOptions<T[number]>]
  ): AgentBuilder<In, Out | DraftOf<T[number]>, Given>;
  publishes(...args: unknown[]): unknown {
    this.#assertOpen();
    const last = args.at(-1);
    const hasOptions = typeof last !== "function" && last !== undefined;
    const types = (hasOptions ? args.slice(0, -1) : args) as AnyArtifactType[];
    assertArtifactTypes(this.#option("publishes"), types);
    const options = hasOptions ? checkOutputOptions(this.#option("publishes"), last) : undefined;
    for (const type of types) {
      this.#publishes.set(type.typeName, type);
      if (options) this.#outputs.set(type.typeName, options);
    }
    return this;
  }

  /**
   * Limits concurrent runs of this agent. Default: 2.
   * @throws FlockError `invalid_options` unless it is an integer ≥ 1.
   */
  concurrency(limit: number): this {
    this.#assertOpen();
    this.#concurrency = checkOptions(this.#option("concurrency"), z.int().min(1), limit);
    return this;
  }

  /**
   * Sets the priority under the flock's `concurrency` limit. Default: 0.
   * Runs of agents with a higher priority start first; at the same priority, the oldest run does. Priority has no
   * aging, so busy agents of high priority can starve others.
   * @throws FlockError `invalid_options` unless it is a finite number.
   */
  priority(priority: number): this {
    this.#assertOpen();
    this.#priority = checkOptions(this.#option("priority"), z.number(), priority);
    return this;
  }

  /**
   * Computes each run's output several times in parallel (1 to 100) and publishes the candidate with the highest
   * `score`. On a tie the first one wins.
   * The other candidates are dropped, also those that fail; the run fails when all candidates do. Only the winner's
   * stream is emitted, at the end. Usage is the sum of all candidates. Call it after `publishes`. Default: one
   * candidate, no score.
   *
   * @example
   * flock.agent("poet").consumes(Topic).publishes(Poem).bestOf(3, ([poem]) => poem.payload.lines.length)
   *
   * @throws FlockError `invalid_options`.
   */
  bestOf(count: number, score: Score<Out>): this {
    this.#assertOpen();
    this.#bestOf = checkBestOf(this.name, count, score as Score);
    return this;
  }

  /**
   * Wraps components around this agent's runs, inside those of the flock; see {@link AgentComponent} of
   * `flock-ts/components/agents`. Later components run inside earlier ones. Default: none.
   *
   * @example
   * flock.agent("chef").use(new RateLimit({ runs: 10, per: 60_000 }))
   *
   * @throws FlockError `invalid_options` unless all are components.
   */
  use(...components: AgentComponent[]): this {
    this.#assertOpen();
    this.#components.push(...checkOptions(this.#option("use"), componentsSchema, components));
    return this;
  }

  /** Sets whether the agent ignores the artifacts that it published itself. Default: true. */
  preventSelfTrigger(prevent: boolean): this {
    this.#assertOpen();
    this.#preventSelfTrigger = prevent;
    return this;
  }

  /**
   * Limits the duration of each run, in ms. A longer run ends with status `timeout`. Default: no limit; five minutes
   * for an agent without `run`.
   * @throws FlockError `invalid_options` unless it is an integer ≥ 1.
   */
  timeout(ms: number): this {
    this.#assertOpen();
    this.#timeout = checkOptions(this.#option("timeout"), z.int().min(1).max(MAX_TIMER), ms);
    return this;
  }

  /**
   * Retries runs of this agent that end with status `error` or `timeout`, with growing delays. Default: no retries.
   *
   * @example
   * flock.agent("chef").retry({ attempts: 5, delay: 500 })
   *
   * @throws FlockError `invalid_options`, naming each invalid option.
   */
  retry(options: RetryOptions): this {
    this.#assertOpen();
    this.#retry = new RetryPolicy(this.#option("retry"), options);
    return this;
  }

  /**
   * Limits how many attempts at the same work may end with a crash of the process. After the last one, the work becomes
   * a dead letter. A shutdown does not count. Default: `maxCrashes` of the flock, which is 3.
   * @throws FlockError `invalid_options` unless it is an integer ≥ 1.
   */
  maxCrashes(limit: number): this {
    this.#assertOpen();
    this.#maxCrashes = checkOptions(this.#option("maxCrashes"), z.int().min(1), limit);
    return this;
  }

  /**
   * Stops starting runs of this agent for a while after consecutive failures. Its work stays queued. Default: never.
   *
   * @example
   * flock.agent("chef").circuitBreaker({ failures: 5, cooldown: 30_000 })
   *
   * @throws FlockError `invalid_options`, naming each invalid option.
   */
  circuitBreaker(options: CircuitBreakerOptions): this {
    this.#assertOpen();
    this.#circuitBreaker = circuitLimits(this.#option("circuitBreaker"), options);
    return this;
  }

  /**
   * Sets the agent's model, or several in order of preference: if one is unavailable, the next one is asked. Default:
   * the flock's model.
   *
   * @example
   * flock.agent("chef").model(["openai/gpt-4.1", "anthropic/claude-sonnet-4-5"], { idleTimeout: 30_000 })
   *
   * @throws FlockError `invalid_options` unless each is an AI SDK model or `"provider/model"`.
   */
  model(model: ModelChoice, options: ModelOptions = {}): this {
    this.#assertOpen();
    this.#model = checkOptions(this.#option("model"), modelSchema, model);
    this.#modelOptions = checkOptions(this.#option("model"), modelOptionsSchema, options);
    return this;
  }

  /** Adds instructions for the model, in addition to the description and the schemas. Default: nothing. */
  instructions(text: string): this {
    this.#assertOpen();
    this.#instructions = text;
    return this;
  }

  /**
   * Adds tools that the model may call: AI SDK tools by name, or the tools of a server from `flock-ts/tools/mcp`.
   * A call of a tool with `needsApproval` asks a person first; see {@link ToolApproval}.
   *
   * @example
   * flock.agent("chef").tools(mcpTools({ url: "http://localhost:3000/mcp" }), { maxResultCharacters: 10_000 })
   *
   * @throws FlockError `invalid_options` when a tool has no `execute` function, or an option is invalid.
   */
  tools(tools: Tools | ToolSource, options: ToolOptions = {}): this {
    this.#assertOpen();
    checkTools(this.#option("tools"), tools);
    this.#tools.push({ tools, ...checkOptions(this.#option("tools"), toolOptionsSchema, options) });
    return this;
  }

  /**
   * Adds context providers, such as {@link history}. Functions read the results from `context.given`; models read them
   * in the prompt.
   * All providers run in parallel before the run starts. The run fails when a provider does.
   *
   * @example
   * flock.agent("critic").consumes(Draft).context({ earlier: history({ newest: 5 }) })
   *
   * @throws FlockError `invalid_options` unless all are functions.
   */
  context<const P extends ContextProviders>(providers: P): AgentBuilder<In, Out, Given & GivenBy<P>> {
    this.#assertOpen();
    checkOptions(this.#option("context"), providersSchema, providers);
    this.#context = { ...this.#context, ...providers };
    return this as unknown as AgentBuilder<In, Out, Given & GivenBy<P>>;
  }

  /**
   * Sets what is hidden from the agent's model: patterns in addition to `redact` of the flock, or false to hide
   * nothing. Stored data and the inputs of functions are not redacted.
   * @throws FlockError `invalid_options` unless it is a list of patterns or false.
   */
  redact(redact: Redact): this {
    this.#assertOpen();
    const own = checkOptions(this.#option("redact"), redactSchema, redact);
    this.#redact = own === false ? false : [...(this.#redact || []), ...own];
    return this;
  }

  /**
   * Ends the declaration and activates the agent.
   * @throws FlockError `agent_incomplete` when the agent consumes nothing or is already active.
   */
  run(run: RunFunction<Alternatives<In>, Out, Given>): void {
    this.#assertOpen();
    if (this.#consumed.length === 0) {
      throw new FlockError(
        "agent_incomplete",
        `Agent \`${this.name}\` is incomplete: it consumes nothing and would never run. Call \`.consumes(…)\` before \`.run(…)\`.`,
      );
    }
    if (typeof run !== "function")
      throw new FlockError(
        "agent_incomplete",
        `Agent \`${this.name}\` is incomplete: \`.run(…)\` got no function. Pass a function.`,
      );
    this.#register({ ...this.#declaration(), run: run as unknown as AgentDefinition["run"] });
    this.#done = true;
  }

  /**
   * Returns the declaration of an agent without `run`, for a model to compute. Used only by the flock.
   * @throws FlockError `agent_incomplete` when something is missing.
   */
  declarationForModel(): AgentDeclaration & { readonly model: ModelChoice } {
    const missing = (what: string) =>
      new FlockError("agent_incomplete", `Agent \`${this.name}\` is incomplete: ${what}`);
    if (!this.#model) {
      throw missing(
        "it has no `run` function and no model. Call `.run(async (inputs) => …)` or " +
          '`.model("provider/model")`, or set a model for all agents with `new Flock({ model })`.',
      );
    }
    if (this.#consumed.length === 0) throw missing("it consumes nothing and would never run. Call `.consumes(…)`.");
    if (this.#publishes.size === 0) {
      throw missing(
        "it has a model but publishes nothing. Call `.publishes(…)`, or end the declaration " +
          "with `.run(async (inputs) => …)`.",
      );
    }
    return { ...this.#declaration(), model: this.#model, timeout: this.#timeout ?? MODEL_TIMEOUT_MS };
  }

  /** Ends the declaration. Used only by the flock. */
  close(): void {
    this.#done = true;
  }

  /** Names a method of this agent in error messages. */
  #option(method: string): string {
    return `\`${method}\` of agent \`${this.name}\``;
  }

  #declaration(): AgentDeclaration {
    const principal: AgentPrincipal = {
      kind: "agent",
      name: this.name,
      labels: [...new Set(this.#labels)],
      tenant: this.#tenant,
    };
    const visibility = tenantOf(principal) ?? PUBLIC;
    const twins = new Map<string, number>();
    const subscriptions = this.#consumed.map(({ types, options }, index) => {
      const identity = identityOf(types, options);
      const before = twins.get(identity) ?? 0;
      twins.set(identity, before + 1);
      const own = before === 0 ? identity : `${identity}, #${before + 1}`;
      return new Subscription(principal, String(index), own, types, options, this.#preventSelfTrigger);
    });
    return {
      name: this.name,
      description: this.#description,
      formerNames: [...new Set(this.#formerNames)],
      tags: Object.freeze([...new Set(this.#tags)]),
      principal,
      visibility,
      subscriptions,
      schedules: new Map(
        this.#consumed.flatMap(({ schedule }, index) =>
          schedule ? [[subscriptions[index] as Subscription, schedule] as const] : [],
        ),
      ),
      consumes: new Map(this.#consumed.flatMap(({ types }) => types.map((type) => [type.typeName, type] as const))),
      publishes: this.#publishes,
      hooks: this.#hooksOf(this.#components),
      outputs: this.#outputs.size > 0 ? new Outputs(this.name, this.#outputs, visibility) : undefined,
      concurrency: this.#concurrency,
      priority: this.#priority,
      bestOf: this.#bestOf,
      timeout: this.#timeout,
      retry: this.#retry,
      maxCrashes: this.#maxCrashes,
      circuitBreaker: this.#circuitBreaker,
      instructions: this.#instructions,
      tools: [...this.#tools],
      context: this.#context,
      redaction: this.#redact === false ? undefined : new Redaction(this.#redact),
      prices: this.#prices,
      model: this.#model,
      modelOptions: this.#modelOptions,
    };
  }

  #assertOpen(): void {
    if (!this.#done) return;
    throw new FlockError(
      "agent_incomplete",
      `Agent \`${this.name}\` cannot be changed: it is already active. Declare it completely before \`.run(…)\` and before the flock's first work.`,
    );
  }
}
