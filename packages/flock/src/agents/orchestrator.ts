import { type CorrelationStatus, type EventDraft, EXTERNAL, PUBLIC, type Visibility } from "@flock/protocol";
import type { AnyArtifactType, Draft } from "../blackboard/artifact-type.ts";
import { newId } from "../blackboard/new-id.ts";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";
import type { Clock } from "../clock.ts";
import { FlockError } from "../errors.ts";
import { eventWrite } from "../store/event-write.ts";
import type { Journal } from "../store/journal.ts";
import type { DurablePart, ReadableStore } from "../store/store.ts";
import { timestamp } from "../store/timestamp.ts";
import { activationWrite } from "./activation.ts";
import type { AgentDefinition } from "./agent.ts";
import type { GateState } from "./gates/gate.ts";
import type { Subscription } from "./gates/subscription.ts";
import { declared, GraphAnnouncer } from "./graph-announcer.ts";
import { History } from "./history.ts";
import type { Origin, Posting } from "./posting.ts";
import { Publisher } from "./publisher.ts";
import type { RunEnd } from "./run.ts";
import type { RunLog } from "./run-context.ts";
import { type RunCounts, Runner } from "./runner.ts";
import { Workflows } from "./workflows.ts";

/** What the orchestrator works with. */
export interface OrchestratorOptions {
  readonly store: ReadableStore;
  /** What earlier processes have left, if the store outlives them. */
  readonly durable: DurablePart | undefined;
  readonly journal: Journal;
  readonly clock: Clock;
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

const NO_TAGS: readonly string[] = [];

/** Knows the agents and the artifact types, and takes the work that comes from outside. */
export class Orchestrator {
  readonly agents = new Map<string, AgentDefinition>();
  readonly types = new Map<string, AnyArtifactType>();
  readonly history = new History();
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #workflows = new Workflows();
  readonly #publisher: Publisher;
  readonly #runner: Runner;
  readonly #graph: GraphAnnouncer;
  #hasBegun = false;
  #stopped = false;

  constructor({ maxRunsPerCorrelation, maxInlinePayloadBytes, store, ...shared }: OrchestratorOptions) {
    this.#journal = shared.journal;
    this.#clock = shared.clock;
    this.#publisher = new Publisher({
      ...shared,
      maxInlinePayloadBytes,
      workflows: this.#workflows,
      runner: {
        activate: (subscription, artifacts) => this.#runner.activate(subscription, artifacts),
        enqueue: (activation) => this.#runner.enqueue(activation),
        giveUp: (activation) => this.#runner.giveUp(activation),
      },
      onDraft: ({ type, artifactType }) => {
        if (this.types.get(type) !== artifactType) this.registerType(artifactType);
      },
    });
    this.#runner = new Runner({
      ...shared,
      store,
      maxRunsPerCorrelation,
      agents: this.agents,
      history: this.history,
      workflows: this.#workflows,
      publisher: this.#publisher,
    });
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
    for (const subscription of agent.subscriptions) this.#publisher.gates.add(subscription);
    this.#emit({ type: "agent_registered", ...declared(agent) });
    this.#graph.changed();
    if (!this.#hasBegun) return;
    this.#publisher.gates.restore(agent.name);
    this.#runner.goOnWith(agent);
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
    return this.#publisher.committed(postings, () => publishedOf(postings[0] as Posting));
  }

  /** Publishes drafts from outside, in one commit. Throws at once what is wrong with them. */
  publishAll(drafts: readonly Draft[], options: PublishOptions): Promise<Published[]> {
    const postings = this.#publish(drafts, options);
    return this.#publisher.committed(postings, () => postings.map(publishedOf));
  }

  #publish(drafts: readonly Draft[], options: PublishOptions): readonly Posting[] {
    this.#assertRunning();
    this.goOn();
    const origin: Origin = {
      producedBy: EXTERNAL,
      correlationId: options.correlationId ?? newId(),
      tags: options.tags?.length ? [...new Set(options.tags)] : NO_TAGS,
      visibility: options.visibility ?? PUBLIC,
      idempotencyKey: options.idempotencyKey,
    };
    // All are encoded before the first gate sees one, so that a bad one leaves no trace of the others.
    const postings = drafts.map((draft) => this.#publisher.prepare(draft, origin));
    for (const posting of postings) this.#publisher.post(posting);
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
    const origin: Origin = { producedBy: EXTERNAL, correlationId, tags: NO_TAGS, visibility: PUBLIC };
    const postings = drafts.map((draft) => this.#publisher.prepare(draft, origin));
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
    const activation = this.#runner.activate(subscription, given, onEnd);
    for (const { write } of postings) this.#journal.write(write);
    this.#journal.write(activationWrite(activation));
    postings.at(-1)?.activations.push(activation);
    return this.#publisher.committed(postings, () => {
      const { seq } = given.at(-1) as StoredArtifact;
      return { runId: activation.runId, correlationId, seq, done };
    });
  }

  /** Ends runs, queued or running, as `cancelled`. Resolves to how many, once that is committed. */
  cancel(wanted: { readonly runId: string } | { readonly correlationId: string }): Promise<number> {
    return this.#runner.cancel(wanted);
  }

  /** Resolves when nothing is queued, nothing runs and all is committed. */
  idle(): Promise<void> {
    this.goOn();
    return this.#runner.idle();
  }

  /** Ends all runs as `interrupted` and takes no more work. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#graph.stop();
    this.#publisher.gates.stop();
    await this.#runner.stop();
  }

  /** How a workflow stands; undefined when nobody has heard of it. */
  workflow(correlationId: string): CorrelationStatus | undefined {
    return this.#workflows.statusOf(correlationId);
  }

  /** What waits in a gate; undefined for a subscription that never waits. */
  stateOf(subscription: Subscription): GateState | undefined {
    return this.#publisher.gates.stateOf(subscription);
  }

  get runCounts(): RunCounts {
    return this.#runner.counts;
  }

  /**
   * Goes on with what earlier processes have left undone, once all agents are there that were declared before the
   * first work: an agent that runs again publishes for others.
   */
  goOn(): void {
    if (this.#hasBegun || this.#stopped) return;
    this.#hasBegun = true;
    this.#publisher.gates.restore();
    this.#runner.goOn();
  }

  readonly #emit = (event: EventDraft): void => {
    this.#journal.write(eventWrite(event, timestamp(this.#clock.now())));
  };

  #assertRunning(): void {
    if (this.#stopped) throw new FlockError("shutting_down", "this flock has shut down and takes no more work");
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
