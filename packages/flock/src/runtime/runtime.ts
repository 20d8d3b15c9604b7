import {
  type AgentState,
  type CircuitInfo,
  type EventDraft,
  EXTERNAL,
  OWNER,
  type Principal,
  PUBLIC,
  type VisibilityRequest,
  visibilityRequestSchema,
} from "@flock-ts/protocol";
import type { AgentDefinition } from "../agents/definition.ts";
import type { Subscription } from "../agents/subscription.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import { assertDraft, type Draft } from "../blackboard/artifact-type.ts";
import type { Clock } from "../core/clock.ts";
import { checkId, checkOptions, checkTags, FlockError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { outside } from "../core/outside.ts";
import { timestamp } from "../core/time.ts";
import type { ErrorDetail } from "../core/wire-error.ts";
import type { Hooks } from "../middleware/hooks.ts";
import type { History } from "../projections/history.ts";
import { eventWrite } from "../store/event-write.ts";
import type { Journal } from "../store/journal.ts";
import type {
  BlackboardReader,
  DeadLetter,
  DeadLetterQuery,
  DeadLetterReader,
  LeftWork,
  Triggered,
  WorkStore,
} from "../store/store.ts";
import type { RootLog } from "../telemetry/run-log.ts";
import { Tracing } from "../telemetry/tracing.ts";
import type { GateState } from "./gates/gate.ts";
import type { DryRun } from "./gates/gates.ts";
import { OrphanedWork } from "./orphans.ts";
import type { Origin, Publication } from "./publishing/publication.ts";
import type { Invoked, InvokeOptions, Published, PublishOptions } from "./publishing/published.ts";
import { Publisher } from "./publishing/publisher.ts";
import { Questions } from "./questions/questions.ts";
import { Pauses } from "./queue/pauses.ts";
import { Registry } from "./registry.ts";
import { type Activation, activationWrite } from "./runs/activation.ts";
import { Activations } from "./runs/activations.ts";
import { tryingSeveral } from "./runs/best-of.ts";
import { currentRun } from "./runs/current-run.ts";
import { DeadLetters, type Revived } from "./runs/dead-letters.ts";
import { runDone } from "./runs/run-done.ts";
import { Runner } from "./runs/runner.ts";
import type { RunCounts, Workload } from "./runs/workload.ts";
import { ScheduledPublishes } from "./timers/scheduled-publishes.ts";
import { Schedules } from "./timers/schedules.ts";
import { declared, TopologyAnnouncer } from "./topology-announcer.ts";

/** What the runtime works with. */
export interface RuntimeOptions {
  readonly blackboard: BlackboardReader;
  readonly deadLetters: DeadLetterReader;
  readonly work: WorkStore;
  /** The work that earlier processes have left. */
  readonly left: LeftWork;
  readonly history: History;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RootLog;
  /** A longer chain of runs, each of which caused the next one, is a loop: its next run ends at once with an error. */
  readonly maxDepth: number;
  /** How many attempts at the same work may end with a crash of the process. */
  readonly maxCrashes: number;
  /** A payload of more bytes than this as JSON stays out of events, which then tell its size. */
  readonly maxInlinePayloadBytes: number;
  /** How many runs may go on at the same time, of all agents; undefined: as many as the agents allow. */
  readonly concurrency?: number | undefined;
  /** How much events tell of errors. */
  readonly errorDetail: ErrorDetail;
  /** The flock's components, if it has any. */
  readonly hooks: Hooks | undefined;
}

const NO_TAGS: readonly string[] = Object.freeze([]);
const NONE: readonly Triggered[] = [];

/** Knows the agents and the artifact types, and takes the work that comes from outside. */
export class Runtime {
  readonly registry: Registry;
  readonly history: History;
  readonly schedules: Schedules;
  /** What runs ask people. */
  readonly questions: Questions;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #tracing: Tracing;
  readonly #activations: Activations;
  readonly #publisher: Publisher;
  readonly #runner: Runner;
  readonly #workload: Workload;
  readonly #pauses: Pauses;
  readonly #scheduledPublishes: ScheduledPublishes;
  readonly #deadLetters: DeadLetters;
  readonly #graph: TopologyAnnouncer;
  /** Work of earlier processes that no agent takes up. */
  readonly orphans: OrphanedWork;
  #hasBegun = false;
  #stopped = false;

  constructor({ maxDepth, maxInlinePayloadBytes, concurrency, deadLetters, hooks, ...shared }: RuntimeOptions) {
    const registry = new Registry(hooks);
    this.registry = registry;
    this.history = shared.history;
    this.#journal = shared.journal;
    this.#clock = shared.clock;
    const tracing = new Tracing(shared.clock);
    this.#tracing = tracing;
    const { agents } = registry;
    const activations = new Activations({ agents, tracing, maxDepth });
    this.#activations = activations;
    const publisher = new Publisher({ ...shared, tracing, maxInlinePayloadBytes, activations, registry });
    this.#publisher = publisher;
    this.#scheduledPublishes = new ScheduledPublishes({ ...shared, publisher });
    const questions = new Questions({ ...shared, publisher, registry });
    this.questions = questions;
    const runner = new Runner({
      ...shared,
      activations,
      tracing,
      concurrency,
      agents,
      questions,
      publisher,
    });
    this.#runner = runner;
    const { workload, earlierWork } = runner;
    this.#workload = workload;
    const { scheduler } = workload.queue;
    this.#pauses = new Pauses({ agents, workload, scheduler, clock: this.#clock, emit: this.#emit });
    this.#deadLetters = new DeadLetters({ ...shared, agents, store: deadLetters, activations, workload, runner });
    this.schedules = new Schedules({
      ...shared,
      isBusy: (subscription) => runner.isBusy(subscription),
      wake: async ({ visibility }, subscription, tick) => {
        this.assertRunning();
        const origin: Origin = { producedBy: EXTERNAL, correlationId: newId(), tags: NO_TAGS, visibility };
        return this.#wake(subscription, [publisher.prepare(tick, origin)]);
      },
    });
    this.#graph = new TopologyAnnouncer(registry.agents, this.#emit);
    const { gates } = this.#publisher;
    this.orphans = new OrphanedWork({ work: earlierWork, gates, journal: shared.journal, registry });
  }

  /**
   * Lets an agent listen.
   * @throws FlockError `duplicate_agent`, `duplicate_artifact_type` or `shutting_down`.
   */
  registerAgent(agent: AgentDefinition): void {
    this.assertRunning();
    this.registry.addAgent(tryingSeveral(agent));
    for (const subscription of agent.subscriptions) this.#publisher.gates.add(subscription, agent.formerNames);
    this.#emit({ type: "agent_registered", ...declared(agent) });
    this.#workload.queue.circuits.registered(agent);
    if (agent.formerNames.some((name) => this.#workload.queue.scheduler.paused.has(name))) this.#pauses.pause([agent]);
    this.#graph.changed();
    if (!this.#hasBegun) return;
    outside(() => {
      this.#publisher.gates.restore(agent.name);
      this.#runner.earlierWork.resumeAgent(agent);
      void this.schedules.resumeAgent(agent);
    });
  }

  /** Publishes a draft from outside. Throws at once what is wrong with it. */
  publish(draft: Draft, options: PublishOptions): Promise<Published> {
    const { recovering } = this.#journal;
    if (recovering) return recovering.catch(() => {}).then(() => this.publish(draft, options));
    if (options.idempotencyKey !== undefined) return this.#journal.transact(() => this.#publishOne(draft, options));
    return this.#publishOne(draft, options);
  }

  #publishOne(draft: Draft, options: PublishOptions): Promise<Published> {
    const publications = this.#publish([draft], options);
    return this.#publisher.committed(publications, () => publishedOf(publications[0] as Publication));
  }

  /** Publishes drafts from outside, in one commit. Throws at once what is wrong with them. */
  publishAll(drafts: readonly Draft[], options: PublishOptions): Promise<Published[]> {
    const { recovering } = this.#journal;
    if (recovering) return recovering.catch(() => {}).then(() => this.publishAll(drafts, options));
    const publications = this.#publish(drafts, options);
    return this.#publisher.committed(publications, () => publications.map(publishedOf));
  }

  #publish(drafts: readonly Draft[], options: PublishOptions): readonly Publication[] {
    this.assertRunning();
    this.resumeWork();
    const origin = fromOutside(options);
    // All are encoded before the first gate sees one, so that a bad one leaves no trace of the others.
    const publications = drafts.map((draft) => this.#publisher.prepare(draft, origin));
    this.#tracing.publish(publications);
    for (const publication of publications) this.#publisher.post(publication);
    return publications;
  }

  /** Answers a question that a run has asked: see {@link Questions}. */
  async answer(
    id: string,
    draftFor: (answerType: string) => Draft,
    as: Principal,
    idempotencyKey?: string,
  ): Promise<Published> {
    this.assertRunning();
    this.resumeWork();
    return publishedOf(await this.questions.answer(id, draftFor, as, idempotencyKey));
  }

  /** What publishing a draft from outside would do. Throws as `publish` does; nothing is written, nothing changes. */
  preview(draft: Draft, options: PublishOptions): readonly DryRun[] {
    this.assertRunning();
    return this.#publisher.dryRun(draft, fromOutside(options));
  }

  /** Runs one agent on given inputs, which go on the blackboard but wake no other agent. */
  async invoke(agentId: string, drafts: readonly Draft[], options: InvokeOptions, as: Principal): Promise<Invoked> {
    const { correlationId = newId() } = options;
    checkId("`correlationId`", correlationId);
    this.assertRunning();
    this.resumeWork();
    const agent = this.registry.agentSeenBy(agentId, as);
    if (!Array.isArray(drafts))
      throw new FlockError(
        "invalid_request",
        "inputs: must be a list of drafts: `flock.invoke(agent, [Pizza({ … })])`",
      );
    for (const draft of drafts) assertDraft(draft, "invoke");
    if (drafts.length === 0)
      throw new FlockError(
        "invalid_request",
        `Failed to invoke agent \`${agentId}\`: \`inputs\` is empty. Pass at least one artifact.`,
      );
    const visibility = checkVisibility("invoke", options.visibility);
    const origin: Origin = { producedBy: EXTERNAL, correlationId, depth: depthOfCaller(), tags: NO_TAGS, visibility };
    const publications = drafts.map((draft) => this.#publisher.prepare(draft, origin));
    const given = publications.map(({ artifact }) => artifact);
    const subscription = agent.subscriptions.find((one) => one.isFilledBy(given));
    if (!subscription) {
      const wanted = agent.subscriptions.map(({ requires, batch }) => {
        const group = [...requires].map(([type, n]) => (n > 1 ? `${n} × ${type}` : type)).join(" + ");
        return batch ? `1 to ${batch.size} × (${group})` : group;
      });
      throw new FlockError(
        "invalid_request",
        `Failed to invoke agent \`${agentId}\`: its inputs are ${given.map(({ type }) => type).join(" + ")}. Pass ${wanted.join(" or ")}.`,
      );
    }
    if (!given.every((artifact) => subscription.sees(artifact))) {
      throw new FlockError(
        "invalid_request",
        `Failed to invoke agent \`${agentId}\`: it may not see its inputs. Clear it with \`.labels(…)\` or \`.tenant(…)\`, or pass another \`visibility\`.`,
      );
    }
    return this.#wake(subscription, publications);
  }

  /** Puts artifacts on the blackboard that wake one agent and no other. */
  #wake(subscription: Subscription, publications: readonly Publication[]): Promise<Invoked> {
    const given = publications.map(({ artifact }) => artifact);
    const { done, onEnd } = runDone(() => this.#runner.caller);
    this.#tracing.publish(publications);
    const activation = this.#activations.create(subscription, given, onEnd);
    for (const { write } of publications) this.#journal.write(write);
    this.#journal.write(activationWrite(activation, this.#clock.now()));
    (publications.at(-1) as Publication).activations = [activation];
    return this.#publisher.committed(publications, () => {
      const { seq, correlationId } = given.at(-1) as StoredArtifact;
      return { runId: activation.runId, correlationId, seq, done };
    });
  }

  /** Ends runs, queued or running, that a principal may see, as `cancelled`. Resolves to how many, once that is committed. */
  async cancel(
    wanted: { readonly runId: string } | { readonly correlationId: string },
    as: Principal,
  ): Promise<number> {
    if (!this.#hasBegun) {
      // The work of earlier processes counts, too. It is queued when what was written before is committed.
      this.resumeWork();
      await this.#journal.settled();
    }
    return this.#runner.cancel(wanted, as);
  }

  /** Returns the state of an agent's circuit breaker; undefined for an agent without one. */
  circuitOf(agent: AgentDefinition): CircuitInfo | undefined {
    return this.#workload.queue.circuits.of(agent)?.info;
  }

  /** What holds agents back from the start, declared already or not. */
  restoreAgents(agents: readonly AgentState[]): void {
    this.#pauses.restore(agents.filter(({ paused }) => paused).map(({ agent_id }) => agent_id));
    this.#workload.queue.circuits.restore(
      agents.flatMap(({ agent_id, circuit }) => (circuit ? [[agent_id, circuit]] : [])),
    );
  }

  /**
   * Pauses one agent, or every one that there is, or lets them go on. Resolves to those for which that changed something,
   * once it is committed.
   * @throws FlockError `unknown_agent` or `shutting_down`.
   */
  async pause(what: "pause" | "resume", name: string | undefined): Promise<string[]> {
    this.assertRunning();
    const { registry } = this;
    const agents = name === undefined ? [...registry.agents.values()] : [registry.agentSeenBy(name, OWNER)];
    const changed = this.#pauses[what](agents);
    this.#workload.noteIdle();
    try {
      await this.#journal.committed();
    } catch (error) {
      this.#pauses.undo(what, changed);
      throw error;
    }
    return changed;
  }

  /** How many runs of an agent wait, and whether that is because it is paused. */
  queueOf(agent: string): { readonly paused: boolean; readonly queued: number } {
    const { scheduler } = this.#workload.queue;
    return { paused: scheduler.paused.has(agent), queued: scheduler.queuedOf(agent) };
  }

  /** Returns the work that has failed permanently. */
  deadLetters(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]> {
    return this.#deadLetters.list(query, as);
  }

  /** Retries work that has failed permanently. Resolves when it is queued. */
  async retryDeadLetter(id: string, as: Principal): Promise<Revived> {
    this.assertRunning();
    this.resumeWork();
    return this.#deadLetters.retry(id, as);
  }

  /** Discards work that has failed permanently. */
  async discardDeadLetter(id: string, as: Principal): Promise<{ readonly seq: number }> {
    this.assertRunning();
    return this.#deadLetters.discard(id, as);
  }

  /**
   * Resolves when nothing runs, nothing is queued but for agents that are paused, and all is committed.
   * @throws FlockError `inside_run` when a run calls it, which would wait for itself.
   */
  async idle(): Promise<void> {
    const { caller } = this.#runner;
    if (caller) {
      const { runId, agent } = caller.activation;
      throw new FlockError(
        "inside_run",
        `Failed to wait until idle: run \`${runId}\` of agent \`${agent.name}\` would wait for its own end. ` +
          "Call `runUntilIdle` outside of runs. To wait for one other run, await `done` of `flock.invoke`.",
      );
    }
    this.resumeWork();
    return this.#workload.idle();
  }

  /** Aborts all runs and takes no more work, because nothing can be written any more. */
  abandon(): void {
    // The journal refuses every write from now on, so that stopping writes nothing.
    void this.stop().catch(() => {});
  }

  /** Ends all runs as `interrupted` and takes no more work. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#graph.stop();
    this.schedules.stop();
    this.#pauses.stop();
    this.#publisher.gates.stop();
    this.#scheduledPublishes.stop();
    await this.#runner.stop();
  }

  /** What waits in a gate; undefined for a subscription that never waits. */
  stateOf(subscription: Subscription): GateState | undefined {
    return this.#publisher.gates.stateOf(subscription);
  }

  get runCounts(): RunCounts {
    return this.#workload.counts;
  }

  /**
   * Resumes the work of earlier processes. Call it with the first work: by then all agents are declared, and what a resumed
   * run publishes finds its consumers.
   */
  resumeWork(): void {
    if (this.#hasBegun || this.#stopped) return;
    this.#hasBegun = true;
    // The request that brings the first work has nothing to do with the work that is left.
    outside(() => {
      this.#publisher.gates.restore();
      this.#runner.earlierWork.resume();
      this.#scheduledPublishes.restore();
      for (const agent of this.registry.agents.values()) void this.schedules.resumeAgent(agent);
    });
  }

  readonly #emit = (event: EventDraft): void => {
    this.#journal.write(eventWrite(event, timestamp(this.#clock.now())));
  };

  /** @throws FlockError `shutting_down` once the flock has shut down. */
  assertRunning(): void {
    if (this.#stopped)
      throw new FlockError("shutting_down", "The flock has shut down: it takes no more work. Retry after the restart.");
  }
}

function triggeredBy({ agent, visibility }: Activation): Triggered {
  return { agentId: agent.name, visibility };
}

/** A function that publishes to its flock directly is a link of the chain too, or it could loop for ever. */
function depthOfCaller(): number | undefined {
  return currentRun()?.activation.depth;
}

function fromOutside({ correlationId, tags, visibility, idempotencyKey }: PublishOptions): Origin {
  if (correlationId !== undefined) checkId("`correlationId`", correlationId);
  if (tags) checkTags("`tags`", tags);
  return {
    producedBy: EXTERNAL,
    correlationId: correlationId ?? newId(),
    depth: depthOfCaller(),
    tags: tags?.length ? Object.freeze([...new Set(tags)]) : NO_TAGS,
    visibility: checkVisibility("publish", visibility),
    idempotencyKey,
  };
}

function publishedOf({ artifact, activations }: Publication): Published {
  return {
    artifactId: artifact.id,
    correlationId: artifact.correlationId,
    triggeredAgents: activations.map(({ agent }) => agent.name),
    triggered: activations.length === 0 ? NONE : activations.map(triggeredBy),
    seq: artifact.seq,
    artifact,
  };
}

function checkVisibility(what: string, visibility: VisibilityRequest | undefined): VisibilityRequest {
  if (visibility === undefined || visibility === PUBLIC) return PUBLIC;
  return checkOptions(`${what}: visibility`, visibilityRequestSchema, visibility);
}
