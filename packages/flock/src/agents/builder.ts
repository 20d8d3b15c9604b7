import { type AgentPrincipal, type LastingVisibility, PUBLIC } from "@flock-ts/protocol";
import { z } from "zod";
import type { AnyArtifactType, Draft, DraftOf } from "../blackboard/artifact-type.ts";
import { checkName, checkOptions, FlockError } from "../core/errors.ts";
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
import { isModel, type Model } from "./model.ts";
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
import { Subscription } from "./subscription.ts";
import { type BatchOptions, checkSubscriptionOptions, type SubscriptionOptions } from "./subscription-options.ts";
import type { ToolSource, Tools } from "./tools.ts";

/** How many runs of one agent go on at the same time when it does not say: the default of Flock's Python edition. */
const DEFAULT_CONCURRENCY = 2;

/** Longest that a run on a model may take, in ms: long answers of slow models take minutes; a server that hangs, for ever. */
const MODEL_TIMEOUT_MS = 5 * 60_000;

/** What Node's timers take, in ms. */
const MAX_TIMER = 2 ** 31 - 1;

type Types = readonly [AnyArtifactType, ...AnyArtifactType[]];

interface Consumed {
  readonly types: Types;
  readonly options: SubscriptionOptions;
  readonly schedule?: Schedule;
}

/** Checks a list of components. */
export const componentsSchema = z.array(z.instanceof(AgentComponent, { error: "must be a component" }));

/** What an agent has that says nothing else. */
export interface AgentDefaults {
  readonly model?: Model | undefined;
  readonly redact?: Redact | undefined;
  readonly prices?: Prices | undefined;
  /** The flock's hooks with those of the agent's own components. */
  readonly hooksOf?: (components: readonly AgentComponent[]) => Hooks | undefined;
}

/** Checks what a user says of redaction. */
export const redactSchema = z.union([z.literal(false), z.array(z.instanceof(RegExp))], {
  error: "must be a list of patterns, or false",
});

const providersSchema = z.record(
  z.string().min(1),
  z.custom<ContextProvider>((value) => typeof value === "function", "must be a function"),
);

/** Checks a model as the core can check it. */
export const modelSchema = z.custom<Model>(isModel, 'must be a model of the AI SDK, or "provider/model"');

/**
 * Declares an agent, step by step. `run` ends the declaration, and the agent starts to listen. An agent without `run`
 * listens from the first publish, invoke, serve or `runUntilIdle` on, and a model computes what it publishes.
 *
 * @example
 * flock.agent("chef").description("Invents pizzas").consumes(Idea).publishes(Pizza)
 *   .run(async ({ PizzaIdea }) => Pizza({ name: PizzaIdea.description, toppings: [] }));
 */
export class AgentBuilder<In = never, Out extends Draft = never, Given = Readonly<Record<never, never>>> {
  /** The agent's name. */
  readonly name: string;
  readonly #register: (definition: AgentDefinition) => void;
  /** The flock's model; the agent may have its own. */
  #model: Model | undefined;
  readonly #prices: Prices | undefined;
  readonly #hooksOf: (components: readonly AgentComponent[]) => Hooks | undefined;
  #components: AgentComponent[] = [];
  #instructions = "";
  #tools: (Tools | ToolSource)[] = [];
  #context: ContextProviders | undefined;
  #redact: Redact;
  #timeout: number | undefined;
  #retry: RetryPolicy | undefined;
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
  #done = false;

  /** For the flock only: see `flock.agent(name)`. */
  constructor(name: string, register: (definition: AgentDefinition) => void, defaults: AgentDefaults = {}) {
    checkName("an agent", name);
    this.name = name;
    this.#register = register;
    this.#model = defaults.model;
    this.#redact = defaults.redact ?? [];
    this.#prices = defaults.prices;
    this.#hooksOf = defaults.hooksOf ?? (() => undefined);
  }

  /** Says what the agent does, for people and for the model. Default: nothing. */
  description(text: string): this {
    this.#assertOpen();
    this.#description = text;
    return this;
  }

  /** Every artifact that the agent publishes carries these tags. */
  tags(...tags: string[]): this {
    this.#assertOpen();
    this.#tags.push(...tags);
    return this;
  }

  /** Clears the agent for artifacts that require these labels. Without it the agent is cleared for none. */
  labels(...labels: string[]): this {
    this.#assertOpen();
    this.#labels.push(...checkOptions(`agent ${this.name}: labels`, z.array(z.string().min(1)), labels));
    return this;
  }

  /**
   * Makes the agent one of a tenant: it may see what that tenant may, and nobody else sees that there is such an agent. What it publishes is
   * for that tenant, unless `publishes` says otherwise. Default: of none.
   */
  tenant(id: string): this {
    this.#assertOpen();
    this.#tenant = checkOptions(`agent ${this.name}: tenant`, z.string().min(1), id);
    return this;
  }

  /**
   * Wakes the agent when one artifact of each named type is there (AND gate); a type that is named n times wants n
   * artifacts. A further `consumes` is an alternative (OR).
   */
  consumes<const T extends Types>(...types: T): AgentBuilder<In | InputsOf<T>, Out, Given>;
  /**
   * The same in batches: the function receives an array of payloads by the name of the type, or for several types an
   * array of groups.
   */
  consumes<const T extends Types>(
    ...args: [...types: T, options: SubscriptionOptions<T> & { readonly batch: BatchOptions }]
  ): AgentBuilder<In | BatchOf<T>, Out, Given>;
  /** The same, with conditions: see {@link SubscriptionOptions}. */
  consumes<const T extends Types>(
    ...args: [...types: T, options: SubscriptionOptions<T> & { readonly batch?: never }]
  ): AgentBuilder<In | InputsOf<T>, Out, Given>;
  consumes(...args: unknown[]): unknown {
    this.#assertOpen();
    const last = args.at(-1);
    const types = (typeof last === "function" ? args : args.slice(0, -1)) as unknown as Types;
    if (types.length === 0 || types.some((type) => !isArtifactType(type))) {
      throw new FlockError(
        "invalid_options",
        `agent ${this.name}: consumes wants artifact types, as artifact(name, schema) makes them`,
      );
    }
    const options =
      typeof last === "function" || last === undefined
        ? {}
        : checkSubscriptionOptions(`agent ${this.name}: consumes`, last, types.length);
    this.#consumed.push({ types, options });
    return this;
  }

  /**
   * Wakes the agent each so many milliseconds with a {@link ScheduleTick}: one more alternative, as a further `consumes`
   * is. Times lie on a fixed grid, so that nothing drifts. It begins with the first work of the flock (publish, invoke,
   * serve or `runUntilIdle`) and keeps the process alive until `shutdown`.
   * @throws FlockError `invalid_options`.
   */
  every(ms: number, options: EveryOptions = {}): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    return this.#scheduled(everySchedule(`agent ${this.name}`, ms, options));
  }

  /**
   * The same at the times of a cron expression: minute, hour, day of the month, month and weekday, with seconds before
   * them if there are six.
   * @example
   * flock.agent("digest").cron("0 9 * * 1-5", { timezone: "Europe/Berlin" }).publishes(Digest)
   * @throws FlockError `invalid_options` when it cannot be read or never comes.
   */
  cron(
    expression: string,
    options: CronOptions = {},
  ): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    return this.#scheduled(cronSchedule(`agent ${this.name}`, expression, options));
  }

  #scheduled(schedule: Schedule): AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out> {
    this.#assertOpen();
    if (this.#consumed.some((one) => one.schedule?.spec === schedule.spec)) {
      throw new FlockError(
        "invalid_options",
        `agent ${this.name} has the schedule "${schedule.spec}" twice: once will do`,
      );
    }
    const where = ({ payload }: { readonly payload: unknown }) => (payload as { agent: string }).agent === this.name;
    this.#consumed.push({ types: [ScheduleTick], options: { where }, schedule });
    return this as unknown as AgentBuilder<In | InputsOf<readonly [typeof ScheduleTick]>, Out>;
  }

  /** Names the types that the agent may publish. Without it the agent publishes nothing. */
  publishes<const T extends Types>(...types: T): AgentBuilder<In, Out | DraftOf<T[number]>, Given>;
  /** The same, with promises about each artifact of these types: see {@link OutputOptions}. */
  publishes<const T extends Types>(
    ...args: [...types: T, options: OutputOptions<T[number]>]
  ): AgentBuilder<In, Out | DraftOf<T[number]>, Given>;
  publishes(...args: unknown[]): unknown {
    this.#assertOpen();
    const last = args.at(-1);
    const hasOptions = typeof last !== "function" && last !== undefined;
    const types = (hasOptions ? args.slice(0, -1) : args) as AnyArtifactType[];
    if (types.length === 0 || types.some((type) => !isArtifactType(type))) {
      throw new FlockError(
        "invalid_options",
        `agent ${this.name}: publishes wants artifact types, as artifact(name, schema) makes them`,
      );
    }
    const options = hasOptions ? checkOutputOptions(`agent ${this.name}: publishes`, last) : undefined;
    for (const type of types) {
      this.#publishes.set(type.typeName, type);
      if (options) this.#outputs.set(type.typeName, options);
    }
    return this;
  }

  /**
   * How many runs of this agent may go on at the same time; default 2.
   * @throws FlockError `invalid_options` unless it is a whole number from 1.
   */
  concurrency(limit: number): this {
    this.#assertOpen();
    this.#concurrency = checkOptions(`agent ${this.name}: concurrency`, z.int().min(1), limit);
    return this;
  }

  /**
   * Where the flock's `concurrency` leaves too little room, runs of agents of a higher priority begin first, and within one
   * priority the oldest; default 0. No agent is let through for having waited long: those of a high one can keep others waiting.
   * @throws FlockError `invalid_options` unless it is a finite number.
   */
  priority(priority: number): this {
    this.#assertOpen();
    this.#priority = checkOptions(`agent ${this.name}: priority`, z.number(), priority);
    return this;
  }

  /**
   * Each run computes its output so many times at once (1 to 100) and publishes what `score` gives the highest number for, the first of
   * equals. Others are dropped, and what fails among them; the run fails when all do. Only what the best one streams is shown, at
   * the end; usage is the sum of all. Say it after `publishes`. Default: once, without a score.
   * @throws FlockError `invalid_options`.
   */
  bestOf(count: number, score: Score<Out>): this {
    this.#assertOpen();
    this.#bestOf = checkBestOf(this.name, count, score as Score);
    return this;
  }

  /**
   * Puts components around this agent's runs, within those of the flock: see {@link AgentComponent} of
   * `flock-ts/components/agents`. Further ones stand within these. Default: none.
   * @throws FlockError `invalid_options` unless all are components.
   */
  use(...components: AgentComponent[]): this {
    this.#assertOpen();
    this.#components.push(...checkOptions(`agent ${this.name}: use`, componentsSchema, components));
    return this;
  }

  /** Whether the agent's own artifacts leave it asleep; default true. */
  preventSelfTrigger(prevent: boolean): this {
    this.#assertOpen();
    this.#preventSelfTrigger = prevent;
    return this;
  }

  /**
   * Longest that a run of this agent may take, in ms: a longer one ends with status `timeout`. Default: as long as it
   * likes; for an agent without `run` five minutes.
   * @throws FlockError `invalid_options` unless it is a whole number from 1.
   */
  timeout(ms: number): this {
    this.#assertOpen();
    this.#timeout = checkOptions(`agent ${this.name}: timeout`, z.int().min(1).max(MAX_TIMER), ms);
    return this;
  }

  /**
   * Tries runs of this agent again that end as `error` or `timeout`, each time after a longer wait. Default: not at all.
   * @throws FlockError `invalid_options`, naming each wrong option.
   */
  retry(options: RetryOptions): this {
    this.#assertOpen();
    this.#retry = new RetryPolicy(`agent ${this.name}: retry`, options);
    return this;
  }

  /**
   * Leaves the agent alone for a while after failures in a row: its work stays queued meanwhile. Default: never.
   * @throws FlockError `invalid_options`, naming each wrong option.
   */
  circuitBreaker(options: CircuitBreakerOptions): this {
    this.#assertOpen();
    this.#circuitBreaker = circuitLimits(`agent ${this.name}: circuitBreaker`, options);
    return this;
  }

  /**
   * A model for this agent; default: the flock's.
   * @throws FlockError `invalid_options` unless it is a model of the AI SDK or `"provider/model"`.
   */
  model(model: Model): this {
    this.#assertOpen();
    this.#model = checkOptions(`agent ${this.name}: model`, modelSchema, model);
    return this;
  }

  /** Tells the model what to do, beside the description and what the schemas say. Default: nothing. */
  instructions(text: string): this {
    this.#assertOpen();
    this.#instructions = text;
    return this;
  }

  /**
   * What the model may call while it works: tools of the AI SDK, by name, or those of a server, from `flock-ts/tools/mcp`.
   * A second call adds to the first.
   */
  tools(tools: Tools | ToolSource): this {
    this.#assertOpen();
    this.#tools.push(tools);
    return this;
  }

  /**
   * What each run is given beside its inputs, such as {@link history}: a function finds it in `context.given`, a model in
   * its prompt. All providers are asked before the run begins; it fails when one does. A second call adds to the first.
   * @throws FlockError `invalid_options` unless all are functions.
   */
  context<const P extends ContextProviders>(providers: P): AgentBuilder<In, Out, Given & GivenBy<P>> {
    this.#assertOpen();
    checkOptions(`agent ${this.name}: context`, providersSchema, providers);
    this.#context = { ...this.#context, ...providers };
    return this as unknown as AgentBuilder<In, Out, Given & GivenBy<P>>;
  }

  /**
   * What its model must not read: patterns beside those of {@link FlockOptions.redact}, or false for a model that may read
   * secrets. What is stored, and what functions read, stays as it is.
   * @throws FlockError `invalid_options` unless it is patterns, or false.
   */
  redact(redact: Redact): this {
    this.#assertOpen();
    const own = checkOptions(`agent ${this.name}: redact`, redactSchema, redact);
    this.#redact = own === false ? false : [...(this.#redact || []), ...own];
    return this;
  }

  /**
   * Ends the declaration: from now on the agent listens.
   * @throws FlockError `agent_incomplete` when it consumes nothing or is complete already.
   */
  run(run: RunFunction<Alternatives<In>, Out, Given>): void {
    this.#assertOpen();
    if (this.#consumed.length === 0) {
      throw new FlockError(
        "agent_incomplete",
        `agent ${this.name} would never run: say what it consumes before .run(…)`,
      );
    }
    if (typeof run !== "function")
      throw new FlockError("agent_incomplete", `agent ${this.name}: .run(…) wants a function`);
    this.#register({ ...this.#declaration(), run: run as unknown as AgentDefinition["run"] });
    this.#done = true;
  }

  /**
   * For the flock only: what has been declared without a `run`, for a model to compute.
   * @throws FlockError `agent_incomplete` when something is missing.
   */
  declarationForModel(): AgentDeclaration & { readonly model: Model } {
    const missing = (what: string) => new FlockError("agent_incomplete", `agent ${this.name} ${what}`);
    if (!this.#model) {
      throw missing(
        "has no run function and no model: end its declaration with .run(async (inputs) => …), or give it " +
          '.model("provider/model"), or all agents one with new Flock({ model })',
      );
    }
    if (this.#consumed.length === 0) throw missing("would never run: say what it consumes, with .consumes(…)");
    if (this.#publishes.size === 0) {
      throw missing(
        "has a model, but nothing for it to make: say what it publishes, with .publishes(…), or end its declaration " +
          "with .run(async (inputs) => …)",
      );
    }
    return { ...this.#declaration(), model: this.#model, timeout: this.#timeout ?? MODEL_TIMEOUT_MS };
  }

  /** For the flock only: the agent listens, and its declaration can no longer change. */
  close(): void {
    this.#done = true;
  }

  #declaration(): AgentDeclaration {
    const principal: AgentPrincipal = {
      kind: "agent",
      name: this.name,
      labels: [...new Set(this.#labels)],
      tenant: this.#tenant,
    };
    const tenant = this.#tenant;
    const visibility: LastingVisibility = tenant === undefined ? PUBLIC : { kind: "tenant", tenant_id: tenant };
    const subscriptions = this.#consumed.map(
      ({ types, options }, place) =>
        new Subscription(principal, String(place), types, options, this.#preventSelfTrigger),
    );
    return {
      name: this.name,
      description: this.#description,
      tags: [...new Set(this.#tags)],
      principal,
      visibility,
      subscriptions,
      schedules: new Map(
        this.#consumed.flatMap(({ schedule }, place) =>
          schedule ? [[subscriptions[place] as Subscription, schedule] as const] : [],
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
      circuitBreaker: this.#circuitBreaker,
      instructions: this.#instructions,
      tools: [...this.#tools],
      context: this.#context,
      redaction: this.#redact === false ? undefined : new Redaction(this.#redact),
      prices: this.#prices,
      model: this.#model,
    };
  }

  #assertOpen(): void {
    if (!this.#done) return;
    throw new FlockError(
      "agent_incomplete",
      `agent ${this.name} listens already: its declaration ended with .run(…), or with the first work of the flock`,
    );
  }
}

function isArtifactType(value: unknown): value is AnyArtifactType {
  return typeof value === "function" && typeof (value as Partial<AnyArtifactType>).typeName === "string";
}
