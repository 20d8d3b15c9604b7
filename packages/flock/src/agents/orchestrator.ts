import {
  type CorrelationStatus,
  type EventDraft,
  type EventOf,
  EXTERNAL,
  PUBLIC,
  type Visibility,
} from "@flock/protocol";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { Draft } from "../blackboard/artifact-type.ts";
import { newId } from "../blackboard/new-id.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import { FlockError } from "../errors.ts";
import { eventWrite, writeOf } from "../store/event-write.ts";
import type { Journal } from "../store/journal.ts";
import type {
  ActivationAgainWrite,
  ActivationWrite,
  DurablePart,
  EventWrite,
  ReadableStore,
  UnfinishedActivation,
} from "../store/store.ts";
import { isoTime, timestamp } from "../store/timestamp.ts";
import type { AgentDefinition } from "./agent.ts";
import { Context } from "./context.ts";
import { Gate, type GateOutcome, type GateState } from "./gates/gate.ts";
import { GateTimers } from "./gates/gate-timers.ts";
import type { Subscription } from "./gates/subscription.ts";
import { SubscriptionIndex } from "./gates/subscription-index.ts";
import { declared, GraphAnnouncer } from "./graph-announcer.ts";
import { History } from "./history.ts";
import { type Activation, Run, type RunEnd, RunStopped } from "./run.ts";
import type { RunLog } from "./run-context.ts";
import { Scheduler } from "./scheduler.ts";
import { Workflows } from "./workflows.ts";

/** What the orchestrator works with. */
export interface OrchestratorOptions {
  readonly store: ReadableStore;
  /** What earlier processes have left, if the store outlives them. */
  readonly durable: DurablePart | undefined;
  readonly journal: Journal;
  readonly log: RunLog;
  /** More runs than this in one workflow are a loop: they end at once with an error. */
  readonly maxRunsPerCorrelation: number;
  /** A payload of more bytes than this as JSON stays out of events, which then tell its size. */
  readonly maxInlinePayloadBytes: number;
}

/** What goes with a published artifact. */
export interface PublishOptions {
  /** Words to select it by. Default: none. */
  readonly tags?: readonly string[];
  /** The workflow it belongs to. Default: a new one. */
  readonly correlationId?: string;
  /** Who may see it. Default and only kind: public. */
  readonly visibility?: Visibility;
  /** A second publish with the same key does nothing and gives the first one's result. */
  readonly idempotencyKey?: string;
}

/** What came of publishing an artifact. */
export interface Published {
  readonly artifactId: string;
  readonly correlationId: string;
  /** Agents whose gate this artifact completed. */
  readonly triggeredAgents: readonly string[];
  /** Of its `artifact_published` event. */
  readonly seq: number;
  readonly artifact: StoredArtifact;
}

/** An agent was woken by hand. */
export interface Invoked {
  readonly runId: string;
  readonly correlationId: string;
  /** Events after this one tell of the run. */
  readonly seq: number;
  /** Resolves when the run has ended, however it ended. Never rejects. */
  readonly done: Promise<RunEnd>;
}

/** How many runs there were, by how they ended, and are. */
export type RunCounts = Readonly<Record<RunEnd["status"] | "started" | "running" | "queued", number>>;

/** Where an artifact comes from. */
interface Origin {
  readonly producedBy: string;
  readonly runId?: string;
  readonly correlationId: string;
  readonly tags: readonly string[];
  readonly visibility: Visibility;
  readonly idempotencyKey?: string | undefined;
}

/** An artifact on its way to the blackboard, and what it sets in motion. */
interface Posting {
  readonly artifact: StoredArtifact;
  /** Of the artifact with its event. */
  readonly write: EventWrite;
  readonly activations: Activation[];
}

const NO_TAGS: readonly string[] = [];
const NOTHING_THROWN = new Error("the agent threw nothing at all");
const NO_DRAFTS: readonly Draft[] = [];
const NO_POSTINGS: readonly Posting[] = [];

/** When a gate's news could not be written, it tries again after so many milliseconds: a full disk stays full for a while. */
const GATE_RETRY_MS = 1_000;
/** A gate that is full drops artifact after artifact; the log tells of the first, and of every so many-th. */
const DROPS_PER_LINE = 1_000;

/** Ended runs count under their status, the rest under these names. */
const NO_RUNS = { started: 0, success: 0, error: 0, cancelled: 0, timeout: 0, interrupted: 0 };

/** Puts artifacts on the blackboard, wakes the agents that wait for them, and runs those. */
export class Orchestrator {
  readonly agents = new Map<string, AgentDefinition>();
  readonly types = new Map<string, AnyArtifactType>();
  readonly history = new History();
  readonly #options: OrchestratorOptions;
  readonly #index = new SubscriptionIndex();
  readonly #gates = new Map<Subscription, Gate>();
  readonly #timers = new GateTimers((gate) => this.#wake(gate, Date.now()));
  readonly #workflows = new Workflows();
  readonly #scheduler = new Scheduler((activation) => this.#run(activation));
  readonly #runs = new Map<string, Run>();
  readonly #graph: GraphAnnouncer;
  readonly #counts = { ...NO_RUNS };
  /** What earlier processes have left, by agent; undefined until work begins. */
  #unfinishedBefore: Map<string, UnfinishedActivation[]> | undefined;
  /** Activations that are written and have not ended. */
  #unfinished = 0;
  #idle = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    this.#graph = new GraphAnnouncer(this.agents, this.#emit);
  }

  /**
   * Makes an artifact type known by name.
   * @throws FlockError `duplicate_artifact_type` when another type has the name.
   */
  registerType(type: AnyArtifactType): void {
    const known = this.types.get(type.typeName);
    if (known === type) return;
    if (known) {
      throw new FlockError(
        "duplicate_artifact_type",
        `two artifact types are called ${type.typeName}: declare it once and import it where it is used`,
      );
    }
    this.types.set(type.typeName, type);
  }

  /**
   * Lets an agent listen.
   * @throws FlockError `duplicate_agent`, `duplicate_artifact_type` or `shutting_down`.
   */
  registerAgent(agent: AgentDefinition): void {
    this.#assertRunning();
    this.assertNameIsFree(agent.name);
    for (const type of [...agent.consumes.values(), ...agent.publishes.values()]) this.registerType(type);
    this.agents.set(agent.name, agent);
    for (const subscription of agent.subscriptions) {
      const gate = new Gate(subscription);
      this.#index.add(gate);
      if (!subscription.isSingle) this.#gates.set(subscription, gate);
    }
    this.#emit({ type: "agent_registered", ...declared(agent) });
    this.#graph.changed();
    if (this.#unfinishedBefore) {
      this.#fillGates(agent);
      this.#goOnWith(agent);
    }
  }

  /** @throws FlockError `duplicate_agent` or `invalid_name`. */
  assertNameIsFree(name: string): void {
    if (name === EXTERNAL) {
      throw new FlockError(
        "invalid_name",
        `no agent can be called ${EXTERNAL}: that names publishers outside the flock`,
      );
    }
    if (this.agents.has(name))
      throw new FlockError("duplicate_agent", `there is an agent called ${name} already: give each its own name`);
  }

  /** Publishes a draft from outside. Throws at once what is wrong with it. */
  publish(draft: Draft, options: PublishOptions): Promise<Published> {
    const postings = this.#publish([draft], options);
    return this.#committed(postings, () => publishedOf(postings[0] as Posting));
  }

  /** Publishes drafts from outside, in one commit. Throws at once what is wrong with them. */
  publishAll(drafts: readonly Draft[], options: PublishOptions): Promise<Published[]> {
    const postings = this.#publish(drafts, options);
    return this.#committed(postings, () => postings.map(publishedOf));
  }

  #publish(drafts: readonly Draft[], options: PublishOptions): readonly Posting[] {
    this.#assertRunning();
    this.goOn();
    for (const draft of drafts) this.#assertDraft(draft);
    const origin: Origin = {
      producedBy: EXTERNAL,
      correlationId: options.correlationId ?? newId(),
      tags: options.tags?.length ? [...new Set(options.tags)] : NO_TAGS,
      visibility: options.visibility ?? PUBLIC,
      idempotencyKey: options.idempotencyKey,
    };
    // All are encoded before the first gate sees one, so that a bad one leaves no trace of the others.
    const postings = drafts.map((draft) => this.#prepare(draft, origin));
    for (const posting of postings) this.#post(posting);
    return postings;
  }

  /** Runs one agent on given inputs, which go on the blackboard but wake nobody else. */
  async invoke(agentId: string, drafts: readonly Draft[], correlationId: string = newId()): Promise<Invoked> {
    this.#assertRunning();
    this.goOn();
    const agent = this.agents.get(agentId);
    if (!agent)
      throw new FlockError("unknown_agent", `there is no agent called ${JSON.stringify(agentId)}${this.#listAgents()}`);
    if (drafts.length === 0)
      throw new FlockError("invalid_request", `inputs: give agent ${agentId} at least one artifact to work on`);
    for (const draft of drafts) this.#assertDraft(draft);
    const origin: Origin = { producedBy: EXTERNAL, correlationId, tags: NO_TAGS, visibility: PUBLIC };
    const postings = drafts.map((draft) => this.#prepare(draft, origin));
    const given = postings.map(({ artifact }) => artifact);
    const subscription = agent.subscriptions.find((one) => one.isFilledBy(given));
    if (!subscription) {
      const wanted = agent.subscriptions.map(({ requires, batch }) => {
        const group = [...requires].map(([type, n]) => (n > 1 ? `${n} × ${type}` : type)).join(" + ");
        return batch ? `1 to ${batch.size} × (${group})` : group;
      });
      throw new FlockError(
        "invalid_request",
        `inputs: agent ${agentId} wants ${wanted.join(" or ")}, not ${given.map(({ type }) => type).join(" + ")}`,
      );
    }
    const { promise: done, resolve: onEnd } = Promise.withResolvers<RunEnd>();
    const activation = { ...this.#activate(agent, subscription, given), onEnd };
    for (const { write } of postings) this.#options.journal.write(write);
    this.#options.journal.write(activationWrite(activation));
    postings.at(-1)?.activations.push(activation);
    return this.#committed(postings, () => {
      const { seq } = given.at(-1) as StoredArtifact;
      return { runId: activation.runId, correlationId, seq, done };
    });
  }

  /** Ends runs, queued or running, as `cancelled`. Resolves to how many, once that is committed. */
  async cancel(wanted: { readonly runId: string } | { readonly correlationId: string }): Promise<number> {
    const count = this.#stop("cancelled", (activation) =>
      "runId" in wanted
        ? activation.runId === wanted.runId || activation.id === wanted.runId
        : activation.correlationId === wanted.correlationId,
    );
    // Stopped runs write their end in the next microtasks; the commit of this tick has them.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#options.journal.settled();
    return count;
  }

  /** Resolves when nothing is queued, nothing runs and all is committed. */
  async idle(): Promise<void> {
    this.goOn();
    for (;;) {
      await this.#options.journal.settled();
      if (this.#unfinished === 0) return;
      await this.#idle.promise;
    }
  }

  /** Ends all runs as `interrupted` and takes no more work. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#graph.stop();
    this.#timers.stop();
    this.#stop("interrupted", () => true);
    await this.idle();
  }

  /** How a workflow stands; undefined when nobody has heard of it. */
  workflow(correlationId: string): CorrelationStatus | undefined {
    return this.#workflows.statusOf(correlationId);
  }

  /** What waits in a gate; undefined for a subscription that never waits. */
  stateOf(subscription: Subscription): GateState | undefined {
    return this.#gates.get(subscription)?.state;
  }

  get runCounts(): RunCounts {
    return { ...this.#counts, running: this.#scheduler.running, queued: this.#scheduler.queued };
  }

  #prepare(draft: Draft, origin: Origin): Posting {
    const known = this.types.get(draft.type);
    if (known !== draft.artifactType) this.registerType(draft.artifactType);
    const payloadJson = encodePayload(draft);
    const limit = this.#options.maxInlinePayloadBytes;
    // A UTF-16 code unit takes three bytes at most: what is short enough need not be measured.
    const bytes = payloadJson.length * 3 <= limit ? 0 : Buffer.byteLength(payloadJson);
    const isLarge = bytes > limit;
    const id = newId();
    const { producedBy, runId, correlationId, tags, visibility, idempotencyKey } = origin;
    const createdAt = timestamp();
    const artifact: StoredArtifact & { runId?: string } = {
      id,
      type: draft.type,
      payload: draft.payload,
      producedBy,
      correlationId,
      tags,
      visibility,
      createdAt,
      seq: 0,
    };
    if (runId !== undefined) artifact.runId = runId;
    // What is undefined has its place here, so that all have one shape, and none in the JSON.
    const event: EventOf<"artifact_published"> = {
      type: "artifact_published",
      seq: 0,
      timestamp: createdAt,
      artifact_id: id,
      artifact_type: draft.type,
      produced_by: producedBy,
      run_id: runId,
      correlation_id: correlationId,
      tags: tags as string[],
      visibility,
      payload_bytes: isLarge ? bytes : undefined,
    };
    const write = writeOf(event, { artifact, json: payloadJson, inline: !isLarge, idempotencyKey });
    return { artifact, write, activations: [] };
  }

  /** Writes an artifact, offers it to all gates that may want it, and writes what comes of that. */
  #post(posting: Posting): void {
    const { journal, log } = this.#options;
    const { artifact, write, activations } = posting;
    journal.write(write);
    this.#workflows.published(artifact.correlationId, artifact.createdAt);
    for (const gate of this.#index.candidates(artifact)) {
      const { subscription } = gate;
      // Alternatives of one agent that a single artifact fills wake it once.
      if (subscription.isSingle && activations.some(({ agent }) => agent.name === subscription.agentId)) continue;
      try {
        if (!subscription.accepts(artifact)) continue;
        const artifacts = subscription.isSingle ? [artifact] : this.#offer(gate, artifact);
        if (!artifacts) continue;
        const agent = this.agents.get(subscription.agentId) as AgentDefinition;
        const activation = this.#activate(agent, subscription, artifacts);
        activations.push(activation);
        journal.write(activationWrite(activation));
      } catch (error) {
        const details = { err: error, agent: subscription.agentId, artifact: artifact.id };
        log.error(details, "a condition of this agent threw; the artifact does not wake it");
      }
    }
  }

  /** Puts an artifact in a gate. Returns what wakes the agent, if that was enough. */
  #offer(gate: Gate, artifact: StoredArtifact): readonly StoredArtifact[] | undefined {
    const at = gate.timeOf(artifact);
    // The timer may be late: a batch that is due runs without this one.
    if (gate.batchDeadline <= at) this.#wake(gate, at);
    const outcome = gate.offer(artifact);
    this.#writeOutcome(gate, outcome);
    this.#timers.watch(gate);
    return outcome.artifacts;
  }

  /** Does what a gate has to do because time has passed, in one commit. */
  #wake(gate: Gate, now: number): void {
    const { subscription } = gate;
    const outcome = gate.wake(now);
    this.#writeOutcome(gate, outcome);
    const activations: Activation[] = [];
    if (outcome.artifacts) {
      const agent = this.agents.get(subscription.agentId) as AgentDefinition;
      const activation = this.#activate(agent, subscription, outcome.artifacts);
      this.#options.journal.write(activationWrite(activation));
      activations.push(activation);
    }
    this.#timers.watch(gate);
    this.#committed(
      [{ activations }],
      () => {},
      (err) => {
        this.#options.log.error({ err, agent: subscription.agentId }, "what a gate had to do could not be written");
      },
    );
  }

  #writeOutcome(gate: Gate, { progress, waiting, left, error }: GateOutcome): void {
    const { journal, log } = this.#options;
    const { agentId, gate: name, withinArtifacts, maxWaiting } = gate.subscription;
    for (const { correlationId, key, collected, required, expiresAt, dropped, reason } of progress) {
      this.#emit({
        type: "gate_progress",
        agent_id: agentId,
        gate: name,
        correlation_id: correlationId,
        ...(key === undefined ? {} : { key }),
        collected,
        required,
        ...(expiresAt === undefined ? {} : { expires_at: isoTime(expiresAt) }),
        ...(dropped === undefined ? {} : { dropped }),
        ...(reason === undefined ? {} : { reason }),
      });
      if (reason === "full" && gate.overflowed % DROPS_PER_LINE === 1)
        log.warn(
          { agent: agentId, gate: name, maxWaiting, dropped: gate.overflowed },
          "a gate is full: it drops the oldest",
        );
    }
    for (const one of waiting) journal.write({ kind: "gathered", agentId, gate: name, ...one });
    if (left.length > 0) journal.write({ kind: "gathered_used", agentId, gate: name, artifacts: left });
    if (withinArtifacts < Number.POSITIVE_INFINITY)
      journal.write({ kind: "gate_taken", agentId, gate: name, taken: gate.taken });
    if (error !== undefined)
      log.error({ err: error, agent: agentId }, "whereGroup of this agent threw; the group does not wake it");
  }

  #activate(agent: AgentDefinition, subscription: Subscription, artifacts: readonly StoredArtifact[]): Activation {
    const correlationId = artifacts[0]?.correlationId ?? newId();
    const runs = this.#workflows.queued(correlationId, timestamp());
    const limit = this.#options.maxRunsPerCorrelation;
    this.#unfinished += 1;
    const id = newId();
    return {
      id,
      runId: id,
      agent,
      subscription,
      artifacts,
      correlationId,
      attempt: 1,
      refusal: runs > limit ? new RunLimitError(agent.name, correlationId, limit) : undefined,
      onEnd: undefined,
    };
  }

  /**
   * Waits until what was written in this tick is permanent, then starts what some postings have set in motion.
   * Resolves to what the caller makes of that.
   */
  #committed<T>(
    postings: readonly Pick<Posting, "activations">[],
    result: () => T,
    failed: (error: unknown) => T = fail,
  ): Promise<T> {
    return this.#options.journal.committed().then(
      () => {
        for (const { activations } of postings) for (const activation of activations) this.#enqueue(activation);
        return result();
      },
      (error) => {
        // Gates have taken in what is not on the blackboard now, and runs count as queued that never will be.
        this.#fillGates(undefined, GATE_RETRY_MS);
        for (const { activations } of postings) for (const activation of activations) this.#giveUp(activation);
        return failed(error);
      },
    );
  }

  #enqueue(activation: Activation): void {
    if (this.#stopped) this.#leaveForLater(activation);
    else this.#scheduler.enqueue(activation);
  }

  #giveUp({ agent, correlationId }: Activation): void {
    this.#workflows.ended(correlationId, agent.name, "cancelled", timestamp());
    this.#countFinished();
  }

  #run(activation: Activation): Promise<void> {
    const { agent, runId, correlationId, artifacts, attempt } = activation;
    const { journal, store, log } = this.#options;
    const run = new Run(activation, this.#emit);
    this.#runs.set(runId, run);
    this.#counts.started += 1;
    this.history.consumed(agent.name, artifacts);
    const startedAt = timestamp();
    const started: EventOf<"agent_execution_started"> = {
      type: "agent_execution_started",
      seq: 0,
      timestamp: startedAt,
      agent_id: agent.name,
      run_id: runId,
      correlation_id: correlationId,
      activation_id: activation.id,
      consumed_artifacts: artifacts.map(({ id }) => id),
      attempt,
    };
    journal.write(writeOf(started));
    journal.write({ kind: "consumption", agentId: agent.name, runId, consumedAt: startedAt, artifacts });
    let output: readonly Draft[] | Promise<readonly Draft[]>;
    try {
      output = run.execute(new Context(run, store, log));
    } catch (error) {
      return this.#end(run, NO_DRAFTS, error ?? NOTHING_THROWN);
    }
    // Not every function waits for something, and waiting for nothing costs as much.
    if (!(output instanceof Promise)) return this.#end(run, output);
    return output.then(
      (drafts) => this.#end(run, drafts),
      (error) => this.#end(run, NO_DRAFTS, error ?? NOTHING_THROWN),
    );
  }

  /** Writes what a run has brought, and that it has ended. Resolves when that is permanent. */
  #end(run: Run, drafts: readonly Draft[], error?: unknown): Promise<void> {
    const { log } = this.#options;
    const { agent, runId, correlationId } = run.activation;
    let postings: readonly Posting[] = NO_POSTINGS;
    let failure = error;
    try {
      const origin: Origin = { producedBy: agent.name, runId, correlationId, tags: agent.tags, visibility: PUBLIC };
      const { outputs } = agent;
      postings = drafts.map((draft) =>
        this.#prepare(draft, outputs ? { ...origin, visibility: outputs.visibilityOf(draft) } : origin),
      );
      for (const posting of postings) this.#post(posting);
    } catch (invalid) {
      failure = invalid;
    }
    if (failure !== undefined && !(failure instanceof RunStopped))
      log.warn({ err: failure, agent: agent.name, runId, correlationId }, "a run failed");
    this.#runs.delete(runId);
    const end = run.end(
      failure,
      postings.map(({ artifact }) => artifact.id),
    );
    for (const { artifact } of postings) this.history.produced(agent.name, artifact);
    this.#writeEnd(run.activation, end);
    return this.#committed(
      postings,
      () => this.#settle(run.activation, end),
      (err) => {
        log.error({ err, agent: agent.name, runId }, "the end of a run could not be written");
        this.#settle(run.activation, end);
      },
    );
  }

  /** Returns the next attempt, if there is to be one. */
  #writeEnd({ agent, id, correlationId, attempt }: Activation, end: RunEnd): ActivationAgainWrite | undefined {
    const { journal } = this.#options;
    const endedAt = timestamp();
    this.#workflows.ended(correlationId, agent.name, end.status, endedAt);
    const completed: EventOf<"agent_execution_completed"> = {
      type: "agent_execution_completed",
      seq: 0,
      timestamp: endedAt,
      agent_id: agent.name,
      run_id: end.runId,
      correlation_id: correlationId,
      duration_ms: end.durationMs,
      status: end.status,
      produced_artifacts: end.produced as string[],
      error: end.error,
      usage: end.usage,
    };
    journal.write(writeOf(completed));
    if (end.status !== "interrupted") {
      journal.write({ kind: "activation_done", id, status: end.status });
      return undefined;
    }
    // What was interrupted is run again, as another run.
    const again: ActivationAgainWrite = { kind: "activation_again", id, runId: newId(), attempt: attempt + 1 };
    journal.write(again);
    return again;
  }

  #settle({ onEnd }: Activation, end: RunEnd): void {
    this.#counts[end.status] += 1;
    onEnd?.(end);
    this.#countFinished();
  }

  #countFinished(): void {
    this.#unfinished -= 1;
    if (this.#unfinished === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers<void>();
    }
  }

  #stop(status: "cancelled" | "interrupted", wanted: (activation: Activation) => boolean): number {
    const withdrawn = this.#scheduler.withdraw(wanted);
    for (const activation of withdrawn) {
      if (status === "cancelled") this.#endUnstarted(activation);
      else this.#leaveForLater(activation);
    }
    const running = [...this.#runs.values()].filter((run) => !run.isStopped && wanted(run.activation));
    for (const run of running) run.stop(status);
    return withdrawn.length + running.length;
  }

  #endUnstarted(activation: Activation): void {
    const end: RunEnd = { runId: activation.runId, status: "cancelled", durationMs: 0, produced: [] };
    this.#writeEnd(activation, end);
    this.#settle(activation, end);
  }

  /** What has not begun when the flock shuts down stays queued, for the next process if the store outlives this one. */
  #leaveForLater(activation: Activation): void {
    this.#settle(activation, { runId: activation.runId, status: "interrupted", durationMs: 0, produced: [] });
  }

  /**
   * Goes on with what earlier processes have left undone, once all agents are there that were declared before the
   * first work: an agent that runs again publishes for others.
   */
  goOn(): void {
    if (this.#unfinishedBefore || this.#stopped) return;
    const { durable, log } = this.#options;
    this.#unfinishedBefore = new Map();
    if (!durable) return;
    this.#fillGates();
    for (const activation of durable.unfinished()) {
      const others = this.#unfinishedBefore.get(activation.agentId);
      if (others) others.push(activation);
      else this.#unfinishedBefore.set(activation.agentId, [activation]);
    }
    for (const agent of this.agents.values()) this.#goOnWith(agent);
    for (const [agent, { length }] of this.#unfinishedBefore) {
      log.warn({ agent, runs: length }, "runs wait for an agent that is not declared: they begin when it is");
    }
  }

  #goOnWith(agent: AgentDefinition): void {
    for (const left of this.#unfinishedBefore?.get(agent.name) ?? []) {
      const { id, correlationId, artifacts, started } = left;
      let { runId, attempt } = left;
      const subscription =
        agent.subscriptions.find((one) => one.gate === left.gate && one.canTake(artifacts)) ??
        agent.subscriptions.find((one) => one.canTake(artifacts));
      if (started) {
        const end = { runId, status: "interrupted", durationMs: 0, produced: [] } as const;
        const again = this.#writeEnd({ ...left, agent, subscription }, end);
        if (again) ({ runId, attempt } = again);
      }
      this.#unfinished += 1;
      this.#workflows.queued(correlationId, timestamp());
      const activation: Activation = { id, runId, agent, subscription, artifacts, correlationId, attempt };
      this.#options.journal.committed().then(
        () => this.#scheduler.enqueue(activation),
        (err) => {
          this.#options.log.error({ err, agent: agent.name }, "a run of an earlier process could not be taken up");
          this.#countFinished();
        },
      );
    }
    this.#unfinishedBefore?.delete(agent.name);
  }

  /**
   * Gives the gates of an agent, or of all, what the store says they have gathered. What time has done to them in the meantime
   * is done at once, or after a pause in milliseconds.
   */
  #fillGates(agent?: AgentDefinition, pause = 0): void {
    const { durable } = this.#options;
    if (!durable || this.#gates.size === 0) return;
    const gathered = Map.groupBy(durable.gathered(), ({ agentId, gate }) => JSON.stringify([agentId, gate]));
    for (const [subscription, gate] of this.#gates) {
      const { agentId, gate: name, requires } = subscription;
      if (agent && agentId !== agent.name) continue;
      const waiting = gathered.get(JSON.stringify([agentId, name])) ?? [];
      // An agent may have been declared anew with other gates: what no longer fits stays where it is.
      const fitting = waiting.filter(({ artifact }) => requires.has(artifact.type));
      gate.restore(fitting, durable.takenBy(agentId, name));
      const now = Date.now();
      if (pause === 0 && gate.deadline <= now) this.#wake(gate, now);
      else this.#timers.watch(gate, pause);
    }
  }

  readonly #emit = (event: EventDraft): void => {
    this.#options.journal.write(eventWrite(event));
  };

  #assertRunning(): void {
    if (this.#stopped) throw new FlockError("shutting_down", "this flock has shut down and takes no more work");
  }

  #assertDraft(draft: unknown): asserts draft is Draft {
    if (draft instanceof Draft) return;
    throw new FlockError(
      "not_a_draft",
      "publish and invoke want what an artifact type makes: declare one with artifact(name, schema) and call it with the payload",
    );
  }

  #listAgents(): string {
    const names = [...this.agents.keys()];
    return names.length === 0 ? "" : `; there are ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;
  }
}

function publishedOf({ artifact, activations }: Posting): Published {
  return {
    artifactId: artifact.id,
    correlationId: artifact.correlationId,
    triggeredAgents: activations.map(({ agent }) => agent.name),
    seq: artifact.seq,
    artifact,
  };
}

function fail(error: unknown): never {
  throw error;
}

function activationWrite({
  agent,
  subscription,
  id,
  runId,
  artifacts,
  correlationId,
  attempt,
}: Activation): ActivationWrite {
  const gate = subscription?.gate;
  return { kind: "activation", id, runId, agentId: agent.name, gate, correlationId, attempt, artifacts };
}

/** A workflow had more runs than allowed. */
class RunLimitError extends Error {
  override readonly name = "RunLimitError";

  constructor(agent: string, correlationId: string, limit: number) {
    super(
      `${agent} did not run: workflow ${correlationId} has had ${limit} runs already, which looks like a loop. ` +
        "Let an agent stop publishing at some point, or raise maxRunsPerCorrelation.",
    );
  }
}

function encodePayload(draft: Draft): string {
  let json: string | undefined;
  let reason = "it is undefined";
  try {
    json = JSON.stringify(draft.payload);
  } catch (error) {
    reason = error instanceof Error ? (error.message.split("\n")[0] as string) : String(error);
  }
  if (json !== undefined) return json;
  throw new FlockError(
    "invalid_payload",
    `${draft.type} cannot be published, because its payload is not JSON: ${reason}`,
  );
}
