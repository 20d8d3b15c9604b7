import {
  type AgentInfo,
  type CorrelationStatus,
  factsOf,
  type GraphSnapshot,
  graphOf,
  type HistorySummary,
  maySee,
  OWNER,
  type Principal,
} from "@flock-ts/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import { AgentBuilder, componentsSchema, modelSchema, redactSchema } from "./agents/builder.ts";
import type { AgentDefinition, Redact } from "./agents/definition.ts";
import type { ModelChoice } from "./agents/model.ts";
import { type Prices, pricesSchema } from "./agents/prices.ts";
import { type AnyArtifactType, assertArtifactTypes, assertDraft, type Draft } from "./blackboard/artifact-type.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { checkOptions, FlockError } from "./core/errors.ts";
import { type ErrorDetail, errorDetailOf } from "./core/wire-error.ts";
import { EventLog } from "./log/event-log.ts";
import type { AgentComponent } from "./middleware/agent-component.ts";
import { Hooks } from "./middleware/hooks.ts";
import { GraphProjection } from "./projections/graph.ts";
import { History } from "./projections/history.ts";
import { restoreState, snapshotOf } from "./projections/snapshot.ts";
import { describeSubscription } from "./runtime/gates/describe.ts";
import { LocalCommands } from "./runtime/local-commands.ts";
import type { OrphanSelector, Orphans, OrphansHandled } from "./runtime/orphans.ts";
import { IdempotencyCache } from "./runtime/publishing/idempotency-cache.ts";
import { checkPublishOptions } from "./runtime/publishing/publish-options.ts";
import type { Invoked, InvokeOptions, Published, PublishOptions } from "./runtime/publishing/published.ts";
import type { StoredQuestion } from "./runtime/questions/person-question.ts";
import type { Revived } from "./runtime/runs/dead-letters.ts";
import { Runtime } from "./runtime/runtime.ts";
import type { FlockStats } from "./runtime/stats.ts";
import { ScopedFlock } from "./scoped-flock.ts";
import type { ScopedHost } from "./server/host.ts";
import type { ServeOptions } from "./server/serve.ts";
import type { FlockServer } from "./server/server.ts";
import { Journal } from "./store/journal.ts";
import { MemorySession } from "./store/memory/store.ts";
import type { DeadLetter, DeadLetterQuery, LeftWork, OwnersStore, Store, StoreSession } from "./store/store.ts";
import { OwnersView } from "./store/visible-store.ts";
import { defaultLogger } from "./telemetry/default-logger.ts";

/** Configures a flock. */
export interface FlockOptions {
  /** Not an option of `new Flock`: a store is opened asynchronously, by {@link Flock.open}. */
  readonly store?: never;
  /**
   * A longer chain of runs, each of which caused the next one, counts as a loop: its next run ends with a `LoopError`
   * and becomes a dead letter. Where a run consumes several artifacts, the shortest chain counts. A loop that multiplies
   * ends when a workflow has repeated its agents `100 × maxDepth` times without coming to rest. Default 1,000: far more than
   * an intended chain needs, and reached by a loop within seconds.
   */
  readonly maxDepth?: number;
  /**
   * How many attempts at the same work may end with a crash of the process before the work becomes a dead letter.
   * {@link AgentBuilder.maxCrashes} sets it for one agent. Default 3.
   */
  readonly maxCrashes?: number;
  /** How many runs may go on at the same time, of all agents together. Default: as many as the agents' own limits allow. */
  readonly concurrency?: number;
  /** Memory for the newest events, from which clients resume, in bytes. Default 64 MiB: some 250,000 tokens. */
  readonly logBufferBytes?: number;
  /** A payload of more bytes than this as JSON stays out of events, which then tell `payload_bytes`. Default 256 KiB. */
  readonly maxInlinePayloadBytes?: number;
  /**
   * Computes what agents publish that have no `run`: a language model of the AI SDK, or `"provider/model"`, such as
   * `"openai/gpt-4.1"`, or several in order of preference: see {@link ModelChoice}. It is looked for, and the AI SDK
   * loaded, when the first such agent is there. Default: none.
   */
  readonly model?: ModelChoice;
  /**
   * What models must not read: patterns in addition to the known ones (keys of providers, tokens, private keys, passwords in
   * addresses), or false for nothing at all. Default: the known ones.
   */
  readonly redact?: Redact;
  /**
   * What models cost, by `provider/model` or by model: what the tokens of their steps and runs cost is reported with them as
   * `cost`, in the currency of these prices. Default: no costs are reported.
   */
  readonly prices?: Prices;
  /**
   * How much events and dead letters tell of errors: `full` with stack and causes, or `message`, name and message alone.
   * Default: `message` where `NODE_ENV` is `production`, else `full`.
   */
  readonly errorDetail?: ErrorDetail;
  /** Wrap the runs of all agents, and observe what is published from outside. Default: none. */
  readonly components?: readonly AgentComponent[];
  /**
   * A pino logger. Default: one that writes to stderr from level `FLOCK_LOG_LEVEL` (default `warn`) on. It writes short lines
   * for people, and JSON lines where `NODE_ENV` is `production` or `FLOCK_LOG_FORMAT` is `json`.
   */
  readonly logger?: Logger;
  /** Tells the time to gates, timeouts and timestamps. Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** Options of {@link Flock.open}. */
export interface OpenFlockOptions extends Omit<FlockOptions, "store"> {
  /** Where the blackboard lives. Default: in memory, gone with the process. */
  readonly store?: Store;
}

/** A store that is open, and what was restored from it. */
interface Opened {
  readonly session: StoreSession;
  readonly left: LeftWork;
  readonly state: GraphProjection;
  readonly history: History;
}

const NOTHING_LEFT: LeftWork = {
  unfinished: [],
  gathered: [],
  taken: [],
  schedules: [],
  hidden: [],
  questions: [],
  snapshot: undefined,
  hasCrashed: false,
};

function openedInMemory(): Opened {
  return { session: new MemorySession(), left: NOTHING_LEFT, state: new GraphProjection(), history: new History() };
}

/** Shared default, so that a publish without options has none to check. */
const NO_OPTIONS: PublishOptions = Object.freeze({});

const cancelSchema = z.union([z.strictObject({ runId: z.string() }), z.strictObject({ correlationId: z.string() })], {
  error: "must be `{ runId }` or `{ correlationId }`, with a string",
});

const storeSchema = z.object({
  store: z
    .custom<Store>((value) => typeof (value as Partial<Store> | null)?.open === "function", "must be a store")
    .optional(),
  clock: z.custom<Clock>().optional(),
});

const optionsSchema = z.strictObject({
  maxDepth: z.int().min(1).default(1_000),
  maxCrashes: z.int().min(1).default(3),
  concurrency: z.int().min(1).optional(),
  logBufferBytes: z
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  maxInlinePayloadBytes: z
    .int()
    .min(0)
    .default(256 * 1024),
  model: modelSchema.optional(),
  redact: redactSchema.default([]),
  prices: pricesSchema.optional(),
  errorDetail: z.enum(["full", "message"]).default(() => errorDetailOf(process.env)),
  components: componentsSchema.default([]),
  logger: z
    .custom<Logger>((value) => typeof (value as Partial<Logger> | null)?.child === "function", "must be a pino logger")
    .optional(),
  clock: z
    .custom<Clock>((value) => typeof (value as Partial<Clock> | null)?.after === "function", "must be a clock")
    .default(systemClock),
});

/**
 * A blackboard with its agents. Agents never call each other: each says which artifacts it consumes and which it
 * publishes, and the work flows from the types.
 */
export class Flock {
  /** The events so far, as far as they are kept. */
  readonly log: EventLog;
  /** Where this flock logs what it does. */
  readonly logger: Logger;
  /** Does what comes over the wire, for server components: names instead of types, unchecked payloads. */
  readonly wire: LocalCommands;
  readonly #session: StoreSession;
  readonly #store: OwnersView;
  readonly #journal: Journal;
  readonly #runtime: Runtime;
  readonly #state: GraphProjection;
  readonly #history: History;
  readonly #model: ModelChoice | undefined;
  readonly #redact: Redact;
  readonly #prices: Prices | undefined;
  readonly #hooksOf: (components: readonly AgentComponent[]) => Hooks | undefined;
  /** What ends with this flock, the last first. */
  readonly #resources = new AsyncDisposableStack();
  /** Agents whose declaration has begun and not ended, by name. */
  readonly #declaring = new Map<string, AgentBuilder>();
  #completing: Promise<void> | undefined;
  readonly #servers = new Set<FlockServer>();
  readonly #once: IdempotencyCache;
  /** How many events this process had added when the state was last saved. */
  #savedAt = 0;
  #shutdown: Promise<void> | undefined;

  /**
   * Opens a flock on a store, and restores what earlier processes have left there.
   *
   * @example
   * const flock = await Flock.open({ store: sqliteStore("flock.db") });
   *
   * @throws FlockError `invalid_options`, naming each wrong option; `store_unusable` when the store cannot be used.
   */
  static async open(options: OpenFlockOptions = {}): Promise<Flock> {
    const { store, clock = systemClock } = checkOptions("Flock.open", storeSchema, options);
    const { store: _, ...rest } = options;
    if (!store) return new Flock(rest);
    const session = await store.open({ clock });
    try {
      const left = await session.work.load();
      const state = new GraphProjection();
      const history = new History();
      if (session.log) await restoreState(session.log, session.work, left.snapshot, state, history);
      return new Flock(rest, { session, left, state, history });
    } catch (error) {
      // No one else would release the file.
      await session.close();
      throw error;
    }
  }

  /**
   * Creates a flock whose blackboard is in memory. For another store, use {@link Flock.open}.
   *
   * @param opened is for `Flock.open`.
   * @throws FlockError `invalid_options`, naming each wrong option.
   */
  constructor(options: FlockOptions = {}, opened?: Opened) {
    if (Object.hasOwn(options, "store")) {
      throw new FlockError(
        "invalid_options",
        "`new Flock` takes no `store`: a store is opened asynchronously. Use `await Flock.open({ store })`.",
      );
    }
    const { logger, model, redact, prices, components, logBufferBytes, clock, ...limits } = checkOptions(
      "new Flock",
      optionsSchema,
      options,
    );
    const { session, left, state, history } = opened ?? openedInMemory();
    this.logger = logger ?? defaultLogger(process.env);
    this.#session = session;
    this.#store = new OwnersView(session.blackboard);
    this.#state = state;
    this.#history = history;
    this.#model = model;
    this.#redact = redact;
    this.#prices = prices;
    const hooks = Hooks.of(components, clock, this.logger);
    this.#hooksOf = (own) => Hooks.around(hooks, own, clock, this.logger);
    this.log = new EventLog(session.epoch, logBufferBytes, session.log);
    this.#journal = new Journal(
      session,
      (events) => {
        for (const { write } of events) {
          state.apply(write.event);
          history.apply(write);
        }
        this.log.append(events.map(({ write, seq, json }) => ({ seq, json, facts: factsOf(write.event) })));
        if (this.log.appended - this.#savedAt >= EVENTS_PER_SNAPSHOT) this.#saveState();
      },
      {
        failing: (err) => this.logger.error({ err }, "commits fail: what the flock has done is written again later"),
        recovered: (commits) => this.logger.warn({ commits }, "commits succeed again"),
      },
    );
    const { blackboard, deadLetters, work } = session;
    this.#runtime = new Runtime({
      blackboard,
      deadLetters,
      work,
      left,
      history,
      journal: this.#journal,
      clock,
      log: this.logger,
      hooks,
      ...limits,
    });
    this.#once = new IdempotencyCache(
      work,
      components.some((one) => one.publish !== undefined),
    );
    this.wire = new LocalCommands(this, {
      runtime: this.#runtime,
      once: this.#once,
      ready: () => (this.#declaring.size > 0 ? this.#completeAgents() : undefined),
    });
    this.#runtime.restoreAgents([...state.seenBy(OWNER).agents.values()]);
    session.lease.lost.addEventListener("abort", () => {
      this.logger.fatal({ err: session.lease.lost.reason }, "the store is lost: all runs are aborted");
      this.#runtime.abandon();
    });
  }

  /** The blackboard, to read, as the owner sees it. `store.as(principal)` is the blackboard as another principal sees it. */
  get store(): OwnersStore {
    return this.#store;
  }

  /** Every artifact type that the flock knows, by name. */
  get types(): ReadonlyMap<string, AnyArtifactType> {
    return this.#runtime.registry.types;
  }

  /** Returns this flock as a principal sees it, for server components. */
  as(principal: Principal): ScopedHost {
    return new ScopedFlock(this, principal);
  }

  /** The artifact types that a principal may know of. */
  typesSeenBy(as: Principal): readonly AnyArtifactType[] {
    return this.#runtime.registry.typesSeenBy(as);
  }

  /**
   * Makes artifact types known that no agent names, so that they can be published from outside.
   * @throws FlockError `duplicate_artifact_type` when another type has the name; `invalid_options`.
   */
  register(...types: AnyArtifactType[]): this {
    if (types.length > 0) assertArtifactTypes("`register`", types);
    for (const type of types) this.#runtime.registry.shareType(type);
    return this;
  }

  /**
   * Begins the declaration of an agent. Its `run` ends it; without one, the first publish, invoke, serve or
   * `runUntilIdle` does, and the agent's or the flock's model computes what it publishes.
   * @throws FlockError `duplicate_agent` or `invalid_name`.
   */
  agent(name: string): AgentBuilder {
    this.#runtime.registry.assertNameIsFree(name);
    if (this.#declaring.has(name)) {
      throw new FlockError(
        "duplicate_agent",
        `Duplicate agent name \`${name}\`: another declaration has begun with it. Give each agent its own name.`,
      );
    }
    const register = (agent: AgentDefinition) => {
      this.#runtime.registerAgent(agent);
      this.#declaring.delete(name);
    };
    const builder = new AgentBuilder(name, register, {
      model: this.#model,
      redact: this.#redact,
      prices: this.#prices,
      hooksOf: this.#hooksOf,
    });
    this.#declaring.set(name, builder);
    return builder;
  }

  /**
   * Puts an artifact on the blackboard. Resolves when it is committed; agents run afterwards.
   * @throws FlockError `not_a_draft`, `duplicate_artifact_type`, `idempotency_conflict` when another payload or type was
   * published under the key, or `shutting_down`.
   */
  publish(draft: Draft, options?: PublishOptions): Promise<Published>;
  /** Several in one commit, all of the same workflow. */
  publish(drafts: readonly Draft[], options?: Omit<PublishOptions, "idempotencyKey">): Promise<Published[]>;
  publish(drafts: Draft | readonly Draft[], options: PublishOptions = NO_OPTIONS): Promise<Published | Published[]> {
    if (this.#declaring.size > 0) return this.#completeAgents().then(() => this.#publish(drafts, options));
    return this.#publish(drafts, options);
  }

  #publish(drafts: Draft | readonly Draft[], options: PublishOptions): Promise<Published | Published[]> {
    try {
      if (options !== NO_OPTIONS) checkPublishOptions("publish", options);
      const { idempotencyKey } = options;
      if (Array.isArray(drafts)) {
        if (idempotencyKey === undefined) return this.#runtime.publishAll(drafts, options);
        throw new FlockError(
          "invalid_options",
          "Invalid `idempotencyKey` for `publish`: it covers one artifact. Publish each draft with its own key.",
        );
      }
      const draft: unknown = drafts;
      assertDraft(draft, "publish");
      const publish = () => this.#runtime.publish(draft, options);
      if (idempotencyKey === undefined) return publish();
      return this.#once.publish(idempotencyKey, { draftFor: () => draft, publish });
    } catch (error) {
      // What an async function would do, for every publish, with two promises more.
      return Promise.reject(error);
    }
  }

  /**
   * Runs one agent on given inputs, which go on the blackboard but wake no other agent. Resolves when the run is queued.
   * @throws FlockError `unknown_agent`, `invalid_request` when the inputs do not fill one of its gates, or as `publish` does.
   */
  async invoke(agent: string, inputs: readonly Draft[], options: InvokeOptions = {}): Promise<Invoked> {
    checkPublishOptions("invoke", options);
    if (this.#declaring.size > 0) await this.#completeAgents();
    return this.#runtime.invoke(agent, inputs, options, OWNER);
  }

  /**
   * Ends a run, or all runs of a workflow, queued or running, as `cancelled`. Events up to `seq` tell of it.
   * `as`: only runs that this principal may see.
   * @throws FlockError `invalid_options` unless exactly one id is given.
   */
  async cancel(
    what: { readonly runId: string } | { readonly correlationId: string },
    as: Principal = OWNER,
  ): Promise<{ readonly cancelled: number; readonly seq: number }> {
    const target = checkOptions("`cancel`", cancelSchema, what);
    if (this.#declaring.size > 0) await this.#completeAgents();
    const cancelled = await this.#runtime.cancel(target, as);
    return { cancelled, seq: this.log.head };
  }

  /** Returns the open questions of agents to people, oldest first. `as`: what this principal may see. */
  questions(as: Principal = OWNER): readonly StoredQuestion[] {
    return this.#runtime.questions.open(as);
  }

  /**
   * Answers a question of an agent, by its artifact's id. The answer goes on the blackboard as any artifact does, and the run
   * that asked goes on. `as`: on behalf of this principal, which must be one that may see the question.
   * @throws FlockError `not_found`, `conflict` when it is answered, withdrawn or too late, `invalid_request` when it wants
   * another type.
   */
  async answer(questionId: string, answer: Draft, as: Principal = OWNER): Promise<Published> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    return this.#runtime.answer(questionId, () => answer, as);
  }

  /**
   * Lets nothing of an agent begin until it is resumed, or of any agent that there is: what wakes it meanwhile waits in line, and
   * what runs goes on. It stays so over restarts on a durable store. Events up to `seq` tell of it; `agents` names those that were not
   * paused already.
   * @throws FlockError `unknown_agent` or `shutting_down`.
   */
  pause(agent?: string): Promise<{ readonly agents: readonly string[]; readonly seq: number }> {
    return this.#pauseOrResume("pause", agent);
  }

  /**
   * Lets an agent that is paused go on, or all. Events up to `seq` tell of it; `agents` names those that were paused.
   * @throws FlockError `unknown_agent` or `shutting_down`.
   */
  resume(agent?: string): Promise<{ readonly agents: readonly string[]; readonly seq: number }> {
    return this.#pauseOrResume("resume", agent);
  }

  async #pauseOrResume(what: "pause" | "resume", agent: string | undefined) {
    if (this.#declaring.size > 0) await this.#completeAgents();
    const agents = await this.#runtime.pause(what, agent);
    if (agents.length > 0) this.#saveState();
    return { agents, seq: this.log.head };
  }

  /**
   * Returns the work that has failed permanently, after all its retries, newest first: see {@link DeadLetter}. In memory the newest 1,000 are
   * kept; in a file, all that retention leaves there. `as`: only what this principal may see.
   */
  deadLetters(query: DeadLetterQuery = {}, as: Principal = OWNER): Promise<readonly DeadLetter[]> {
    return this.#runtime.deadLetters(query, as);
  }

  /**
   * Retries work that has failed permanently: another attempt of the same activation, with all its retries. Resolves when it
   * is queued.
   * @throws FlockError `not_found` when there is no such dead letter, or retention has dropped what it is to work on;
   * `unknown_agent` when its agent is not declared; `shutting_down`.
   */
  async retryDeadLetter(id: string, as: Principal = OWNER): Promise<Revived> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    return this.#runtime.retryDeadLetter(id, as);
  }

  /**
   * Discards work that has failed permanently. Resolves after the commit, to the `seq` of the event that reports it.
   * @throws FlockError `not_found` when there is no such dead letter; `shutting_down`.
   */
  discardDeadLetter(id: string, as: Principal = OWNER): Promise<{ readonly seq: number }> {
    return this.#runtime.discardDeadLetter(id, as);
  }

  /**
   * Returns work of earlier processes that no agent takes up, because a deploy has removed or renamed agents or changed
   * gates: queued runs, and artifacts that wait in gates. Queued runs can also be cancelled with `cancel`. To let an agent
   * take over all work of another name, declare it with `.renamedFrom(name)`.
   */
  async orphans(): Promise<Orphans> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    this.#runtime.resumeWork();
    return this.#runtime.orphans.list();
  }

  /**
   * Drops orphaned work: cancels runs, and takes artifacts out of their gates. The artifacts stay on the blackboard.
   * Resolves after the commit.
   * @throws FlockError `invalid_request` when the selector is empty.
   */
  async dropOrphans(selector: OrphanSelector): Promise<OrphansHandled> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    this.#runtime.resumeWork();
    const dropped = await this.#runtime.orphans.drop(selector);
    return { ...dropped, seq: this.log.head };
  }

  /**
   * Lets an agent take over orphaned work: it executes the runs, and its gates receive the artifacts that they accept.
   * Runs that do not fit the agent become dead letters. Resolves after the commit.
   * @throws FlockError `unknown_agent`; `invalid_request` when the selector is empty.
   */
  async moveOrphans(selector: OrphanSelector, to: string): Promise<OrphansHandled> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    this.#runtime.resumeWork();
    const moved = await this.#runtime.orphans.move(selector, to);
    return { ...moved, seq: this.log.head };
  }

  /**
   * Resolves when nothing is queued but for agents that are paused, nothing runs but what waits for people, and all is
   * committed.
   * @throws FlockError `inside_run` when a run of this flock calls it, because it would wait for its own end.
   */
  async runUntilIdle(): Promise<void> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    await this.#runtime.idle();
  }

  /**
   * Serves this flock over HTTP and WebSocket. Resolves when it listens, or with `blocking` when it has ended.
   * @throws FlockError `address_in_use`, `cannot_listen`, `missing_dependency`, `duplicate_component`, `invalid_options` or
   * `shutting_down`.
   */
  async serve(options: ServeOptions = {}): Promise<FlockServer> {
    if (this.#declaring.size > 0) await this.#completeAgents();
    this.#runtime.assertRunning();
    this.#runtime.resumeWork();
    // The server room is loaded when it is wanted: most tests and scripts run a flock without one.
    const { serve } = await import("./server/serve.ts");
    const server = await serve(this, options);
    this.#servers.add(server);
    return server;
  }

  /**
   * Hands something over that is to end with this flock, such as the connection to a server with tools. Gives it back.
   *
   * @example
   * const files = flock.use(mcpTools({ name: "files", command: "my-server", allow: ["read_file"] }));
   */
  use<T extends AsyncDisposable>(resource: T): T {
    return this.#resources.use(resource);
  }

  /** Ends all runs as `interrupted`, sends every client a close notice, closes servers and store. May be called again. */
  shutdown(): Promise<void> {
    this.#shutdown ??= (async () => {
      await this.#runtime.stop();
      await Promise.all([...this.#servers].map((server) => server.close()));
      await this.#resources.disposeAsync().catch((err) => this.logger.warn({ err }, "something did not end well"));
      this.#saveState();
      await this.#journal.settled();
      await this.#session.close();
    })();
    return this.#shutdown;
  }

  /** Ends like `shutdown`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /**
   * Every agent with its subscriptions and counters, as the wire tells it.
   * `as`: what this principal may know. What waits in gates is for the owner alone.
   */
  agents(as: Principal = OWNER): AgentInfo[] {
    const { agents } = this.#state.seenBy(as);
    const isOwner = as.kind === "owner";
    return this.#runtime.registry.agentsSeenBy(as).map((agent) => {
      const state = agents.get(agent.name);
      const { paused, queued } = this.#runtime.queueOf(agent.name);
      return {
        name: agent.name,
        description: agent.description,
        tags: [...agent.tags],
        status: state?.status ?? "idle",
        subscriptions: agent.subscriptions.map((subscription) => ({
          ...describeSubscription(subscription, isOwner ? this.#runtime.stateOf(subscription) : undefined),
          ...this.#runtime.schedules.told(agent, subscription),
        })),
        consumes: [...agent.consumes.keys()],
        publishes: [...agent.publishes.keys()],
        concurrency: agent.concurrency,
        ...(isOwner && agent.circuitBreaker ? { circuit: this.#runtime.circuitOf(agent) } : {}),
        priority: agent.priority,
        paused,
        ...(isOwner ? { queued } : {}),
        counters: { ...(state?.counters ?? NO_COUNTERS) },
      };
    });
  }

  /** The flow graph with status and counters, and the `seq` that it reflects. `as`: what this principal may know. */
  graph(as: Principal = OWNER): GraphSnapshot {
    return graphOf(this.#state.seenBy(as));
  }

  /** What an agent has done; undefined when there is no such agent. `as`: what this principal may know. */
  async historyOf(agent: string, as: Principal = OWNER): Promise<HistorySummary | undefined> {
    const definition = this.#runtime.registry.agents.get(agent);
    if (!definition || !maySee(as, definition.visibility)) return undefined;
    const counters = this.#state.seenBy(as).agents.get(agent)?.counters ?? NO_COUNTERS;
    return { agent_id: agent, counters: { ...counters }, ...this.#history.of(agent, as) };
  }

  /** Returns the status of a workflow; undefined when it is unknown. `as`: what this principal may know. */
  correlation(id: string, as: Principal = OWNER): Promise<CorrelationStatus | undefined> {
    return this.#session.work.workflow(id, as);
  }

  /** What this flock has done and holds. */
  stats(): FlockStats {
    return {
      events: this.log.appended,
      head: this.log.head,
      oldest: this.log.oldest,
      logBufferBytes: this.log.buffer.bytes,
      storeBytes: this.#session.work.bytes,
      failedCommits: this.#journal.failures,
      runs: this.#runtime.runCounts,
      orphans: this.#runtime.orphans.counts,
    };
  }

  /** Saves the folds, so that the next start need not read the whole log. */
  #saveState(): void {
    if (!this.#session.log || this.#session.lease.lost.aborted) return;
    this.#savedAt = this.log.appended;
    // A separate group: when the state is too large for the disk, only it is refused.
    const saved = this.#journal.transact(() => {
      this.#journal.write(snapshotOf(this.#state, this.#history));
      return this.#journal.committed();
    });
    saved.catch((err) => {
      this.logger.warn({ err }, "failed to save the state: the next start reads more of the log");
    });
  }

  /**
   * Lets agents that have no `run` listen, computed by their model.
   * @throws FlockError `agent_incomplete`, `missing_dependency` or `model_unavailable`.
   */
  #completeAgents(): Promise<void> {
    this.#completing ??= (async () => {
      for (const [name, builder] of this.#declaring) {
        const declaration = builder.declarationForModel();
        // The AI SDK is loaded when it is wanted: a flock of functions can do without it.
        const { aiEngine, resolveModels } = await loadEngine(name);
        const agent = { ...declaration, model: await resolveModels(declaration.model, name) };
        // The caller may have called `run` in the meantime.
        if (this.#declaring.get(name) !== builder) continue;
        builder.close();
        this.#runtime.registerAgent({ ...agent, run: aiEngine(agent) });
        this.#declaring.delete(name);
      }
    })().finally(() => {
      this.#completing = undefined;
    });
    return this.#completing;
  }
}

async function loadEngine(agent: string): Promise<typeof import("./engines/ai/engine.ts")> {
  try {
    return await import("./engines/ai/engine.ts");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new FlockError(
      "missing_dependency",
      `Agent \`${agent}\` cannot run on a model: the AI SDK is not installed. Run \`npm install ai\`.`,
      { cause },
    );
  }
}

/** The state is saved once in so many events: a start folds that many at most, in some milliseconds. */
const EVENTS_PER_SNAPSHOT = 20_000;

const NO_COUNTERS = { started: 0, succeeded: 0, failed: 0, running: 0, consumed: 0, published: 0, duration_ms: 0 };
