import {
  allOf,
  type EventOf,
  type EventVisibility,
  isAtLeastAsVisible,
  maySee,
  type Principal,
  type WireError,
} from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import { seenTogether } from "../../blackboard/by-visibility.ts";
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { outside } from "../../core/outside.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { type ErrorDetail, readable, wireErrorOf } from "../../core/wire-error.ts";
import type { Workflows } from "../../projections/workflows.ts";
import { eventWrite, writeOf } from "../../store/event-write.ts";
import type { CommitGroup, Journal } from "../../store/journal.ts";
import type {
  ActivationAgainWrite,
  BlackboardReader,
  DeadLetter,
  LeftWork,
  UnfinishedActivation,
  Write,
} from "../../store/store.ts";
import { logOf, type RootLog } from "../../telemetry/run-log.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import type { Origin, Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Questions } from "../questions/questions.ts";
import type { Circuits } from "../queue/circuits.ts";
import { RunQueue } from "../queue/run-queue.ts";
import type { Scheduler } from "../queue/scheduler.ts";
import { type Activation, depthOf } from "./activation.ts";
import { Context } from "./context.ts";
import { asCurrent, type CurrentRun, currentRun } from "./current-run.ts";
import { LoopGuard } from "./loop-guard.ts";
import type { RunSlot } from "./occupancy.ts";
import { type Outcome, Outcomes } from "./outcomes.ts";
import type { StreamingOutput } from "./output-stream.ts";
import { CrashLimitError, NotClearedError } from "./refusals.ts";
import { HIDDEN, Run, RunStopped } from "./run.ts";
import type { RunEnd } from "./run-end.ts";
import type { StepEvent } from "./steps.ts";

/** What the runner works with. */
export interface RunnerOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly blackboard: BlackboardReader;
  /** The work that earlier processes have left. */
  readonly left: LeftWork;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RootLog;
  readonly workflows: Workflows;
  /** What runs ask people. */
  readonly questions: Questions;
  readonly tracing: Tracing;
  /** A longer chain of runs, each of which caused the next one, is a loop: its next run ends at once with an error. */
  readonly maxDepth: number;
  /** How many attempts at the same work may end with a crash of the process; an agent may have its own limit. */
  readonly maxCrashes: number;
  /** How many runs may go on at the same time, of all agents; undefined: as many as the agents allow. */
  readonly concurrency?: number | undefined;
  /** How much events tell of errors. */
  readonly errorDetail: ErrorDetail;
  /** The queue of an agent has changed while it is paused. */
  readonly onHeld: (agent: string) => void;
  /** Where the output of runs goes. */
  readonly publisher: Pick<Publisher, "prepare" | "post" | "postAgain" | "committed">;
}

/** How many runs there were, by how they ended, and are. */
export type RunCounts = Readonly<Record<RunEnd["status"] | "started" | "running" | "queued", number>>;

/** A run whose end is not reported yet. */
type Ended = Omit<Activation, "runId" | "onEnd">;

/** Work that an earlier process has left to an agent. `crashes` includes the last crash. */
type LeftActivation = UnfinishedActivation & { readonly agent: AgentDefinition; readonly crashes: number };

/** What was written when a run began. */
interface Begun {
  readonly writes: readonly Write[];
  group: CommitGroup;
}

/** How a run has ended, as far as it has to be written. */
interface Ending {
  readonly activation: Activation;
  readonly end: RunEnd;
  /** The error as viewers of the run receive it. */
  readonly toldError?: WireError | undefined;
  readonly publications: readonly Publication[];
  /** What the run has failed of. */
  readonly failure?: unknown;
  /** Undefined for a run that never began. */
  readonly begun: Begun | undefined;
}

/** A run that began in an earlier process. */
const BEGUN_BEFORE: Begun = { writes: [], group: { hasFailed: false } };
const NO_DRAFTS: readonly Draft[] = [];
const NO_POSTINGS: readonly Publication[] = [];
const NOTHING_PRODUCED: readonly string[] = Object.freeze([]);

/** Ended runs count under their status, the rest under these names. */
const NO_RUNS = { started: 0, success: 0, error: 0, cancelled: 0, timeout: 0, interrupted: 0 };

/** Runs agents on what has woken them, from the activation to the written end. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly scheduler: Scheduler;
  readonly #queue: RunQueue;
  readonly circuits: Circuits;
  readonly #loops: LoopGuard;
  readonly #runs = new Map<string, Run>();
  readonly #outcomes: Outcomes;
  /** Receives what circuits write while one of them learns of the end of a run. */
  #circuitWrites: Write[] | undefined;
  readonly #counts = { ...NO_RUNS };
  /** What earlier processes have left, by agent; undefined until work begins. */
  #unfinishedBefore: Map<string, UnfinishedActivation[]> | undefined;
  /** Activations that are written and have not ended. */
  #unfinished = 0;
  #idle = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#queue = new RunQueue({
      ...options,
      start: (activation) => outside(() => options.tracing.run(activation, () => this.#run(activation))),
      onHeld: (activation) => this.#noteHeld(activation),
      emit: (event) => {
        const write = eventWrite(event, this.#now());
        this.#circuitWrites?.push(write);
        options.journal.write(write);
      },
    });
    this.scheduler = this.#queue.scheduler;
    this.circuits = this.#queue.circuits;
    this.#outcomes = new Outcomes(options);
    this.#loops = new LoopGuard(options.maxDepth);
  }

  get counts(): RunCounts {
    return {
      ...this.#counts,
      running: this.scheduler.running,
      queued: this.#queue.size,
    };
  }

  /** Whether a run that a subscription has woken is queued, waits for its next attempt or goes on. */
  isBusy(subscription: Subscription): boolean {
    const isIts = (activation: Activation) => activation.subscription === subscription;
    if (this.#queue.has(isIts) || this.#outcomes.has(isIts)) return true;
    return [...this.#runs.values()].some(({ activation }) => isIts(activation));
  }

  /** An agent is to run, once that is written and {@link enqueue}d. */
  activate(
    subscription: Subscription,
    artifacts: readonly StoredArtifact[],
    onEnd?: (end: RunEnd) => void,
  ): Activation {
    const { agents, workflows, tracing, clock } = this.#options;
    const agent = agents.get(subscription.agentId) as AgentDefinition;
    const correlationId = artifacts[0]?.correlationId ?? newId();
    const visibility = runSeenBy(agent, artifacts);
    const depth = depthOf(artifacts);
    workflows.queued(correlationId, timestamp(clock.now()), visibility);
    this.#unfinished += 1;
    const id = newId();
    return {
      id,
      runId: id,
      agent,
      subscription,
      artifacts,
      correlationId,
      visibility,
      depth,
      attempt: 1,
      cause: tracing.cause(subscription, artifacts, correlationId),
      refusal: this.#loops.pending(agent.name, correlationId, depth),
      onEnd,
    };
  }

  /** Runs an activation as soon as there is room for it. */
  enqueue(activation: Activation): void {
    if (this.#stopped) this.#leaveForLater(activation);
    else this.#queue.enqueue(activation);
  }

  #noteHeld({ agent }: Activation): void {
    this.#options.onHeld(agent.name);
    this.noteIdle();
  }

  /** Forgets an activation that could not be written. */
  abandon(activation: Activation): void {
    const { correlationId, visibility } = activation;
    this.#options.workflows.withdrawn(correlationId, this.#now(), visibility);
    this.#countFinished(activation);
  }

  /** Ends runs, queued or running, that a principal may see, as `cancelled`. Resolves to how many, once that is committed. */
  async cancel(
    wanted: { readonly runId: string } | { readonly correlationId: string },
    as: Principal,
  ): Promise<number> {
    const isWanted = (activation: Omit<Activation, "onEnd">) => {
      if (!maySee(as, activation.visibility)) return false;
      return "runId" in wanted
        ? [activation.runId, activation.id, activation.retryOf].includes(wanted.runId)
        : activation.correlationId === wanted.correlationId;
    };
    const count = this.#stop("cancelled", isWanted);
    // Stopped runs write their end in the next microtasks; the commit of this tick has them.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#options.journal.settled();
    if (count > 0) await this.#outcomes.settled(isWanted);
    return count;
  }

  /** Resolves when nothing is queued but for paused agents, nothing runs but what waits for people, and all is committed. */
  async idle(): Promise<void> {
    for (;;) {
      await this.#options.journal.settled();
      if (this.#isIdle) return;
      await this.#idle.promise;
    }
  }

  /** Ends all runs as `interrupted` and takes no more. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#outcomes.stop();
    this.#stop("interrupted", () => true);
    return this.idle();
  }

  /** Goes on with what earlier processes have left undone. Does nothing the second time. */
  resumeWork(): void {
    if (this.#unfinishedBefore || this.#stopped) return;
    const { left, agents, log } = this.#options;
    this.#unfinishedBefore = Map.groupBy(left.unfinished, ({ agentId }) => agentId);
    const known = [...agents.values()];
    this.#resume(known.flatMap((agent) => this.#takeLeftOf(agent)));
    for (const [agent, { length }] of this.#unfinishedBefore) {
      log.warn({ agent, runs: length }, "runs wait for an agent that is not declared: they begin when it is");
    }
  }

  /** Goes on with what earlier processes have left undone for one agent. */
  resumeAgent(agent: AgentDefinition): void {
    this.#resume(this.#takeLeftOf(agent));
  }

  #takeLeftOf(agent: AgentDefinition): LeftActivation[] {
    const left = this.#unfinishedBefore?.get(agent.name) ?? [];
    this.#unfinishedBefore?.delete(agent.name);
    const { hasCrashed } = this.#options.left;
    return left.map((one) => {
      const crashes = (one.crashes ?? 0) + (one.started && hasCrashed ? 1 : 0);
      return { ...one, agent, crashes };
    });
  }

  /** Work that a crash has interrupted starts last: it may have caused the crash, and may do so again. */
  #resume(left: readonly LeftActivation[]): void {
    // What has not begun is on the blackboard already, even if the commit that it lets pass fails.
    const ready = this.#options.journal.settled();
    const inOrder = left.toSorted((a, b) => Math.sign(a.crashes) - Math.sign(b.crashes));
    for (const one of inOrder) this.#resumeOne(one, ready);
  }

  #resumeOne(left: LeftActivation, ready: Promise<void>): void {
    const { workflows } = this.#options;
    const { id, agent, crashes, correlationId, artifacts, started, failures, visibility, retryAt } = left;
    let { runId, attempt } = left;
    const isGuarded = this.#options.left.hasCrashed;
    const about = { id, agent, artifacts, correlationId, failures, crashes, visibility, isGuarded };
    const before = { ...about, runId, attempt, ...this.#fitting(agent, left) };
    this.#unfinished += 1;
    workflows.queued(correlationId, this.#now(), visibility);
    if (crashes >= this.#queue.maxCrashesOf(agent)) return this.#setAside(before, started);
    const end = { runId, status: "interrupted", durationMs: 0, produced: [] } as const;
    const ended = started ? this.#writesOfEnd(before, end, end) : undefined;
    if (ended?.again) ({ runId, attempt } = ended.again);
    const activation: Activation = { ...before, runId, attempt };
    if (ended) {
      void this.#outcomes.write({
        activation,
        publications: NO_POSTINGS,
        write: ended.write,
        committed: (isCancelled) =>
          void (isCancelled ? this.#endUnstarted(activation) : ready.then(() => this.enqueue(activation))),
        abandoned: () => this.#leaveForLater(activation),
        replacement: undefined,
        isCancellable: true,
      });
    } else if (retryAt !== undefined) {
      this.#queue.enqueueAt(activation, retryAt);
    } else {
      void ready.then(() => this.enqueue(activation));
    }
  }

  /** Makes a dead letter of work during which the process has crashed too often. */
  #setAside(activation: Activation, hasBegun: boolean): void {
    const { agent, runId, crashes = 0 } = activation;
    const failure = new CrashLimitError(agent.name, crashes);
    const error = wireErrorOf(failure, { detail: this.#options.errorDetail, redaction: agent.redaction });
    const end: RunEnd = { runId, status: "error", durationMs: 0, produced: NOTHING_PRODUCED, error };
    const refused = { ...activation, refusal: failure };
    const begun = hasBegun ? BEGUN_BEFORE : undefined;
    this.#logFailure(refused, failure, end);
    const publications = NO_POSTINGS;
    void this.#outcomes.write(
      this.#outcomeOf({ activation: refused, end, toldError: error, publications, failure, begun }),
    );
  }

  /** A dead letter is to run again, once that is written and {@link enqueue}d. Its agent must be declared. */
  runAgain(letter: DeadLetter, onEnd: (end: RunEnd) => void): Activation {
    const { agents, journal, workflows } = this.#options;
    const { id, correlationId, artifacts, visibility } = letter;
    const agent = agents.get(letter.agentId) as AgentDefinition;
    const next = { id, runId: newId(), attempt: letter.attempts + 1 };
    this.#unfinished += 1;
    workflows.queued(correlationId, this.#now(), visibility);
    journal.write({ kind: "dead_letter_again", ...next });
    const about = { agent, artifacts, correlationId, visibility };
    return { ...next, ...about, onEnd, isGuarded: true, ...this.#fitting(agent, letter) };
  }

  /** What of its agent as it is now declared an activation of before runs on, how deep it is, and why it must not run. */
  #fitting(
    agent: AgentDefinition,
    { gate, artifacts, correlationId }: Pick<DeadLetter, "gate" | "artifacts" | "correlationId">,
  ): Pick<Activation, "subscription" | "depth" | "refusal"> {
    const able = agent.subscriptions.filter((one) => one.canTake(artifacts));
    const subscription = able.find((one) => one.gate === gate) ?? able[0];
    const depth = depthOf(artifacts);
    const loop = this.#loops.pending(agent.name, correlationId, depth);
    const isCleared = artifacts.every((one) => maySee(agent.principal, one.visibility));
    return { subscription, depth, refusal: isCleared ? loop : new NotClearedError(agent.name) };
  }

  #run(activation: Activation): Promise<void> {
    const { agent, runId, correlationId, artifacts, attempt, visibility } = activation;
    const { journal, clock, errorDetail } = this.#options;
    const run = new Run(activation, clock, errorDetail, this.#slotOf(activation), this.#tell);
    this.#runs.set(runId, run);
    this.#counts.started += 1;
    const startedAt = this.#now();
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
      visibility,
    };
    const begun: Begun = {
      writes: [
        { ...writeOf(started), consumes: artifacts },
        { kind: "consumption", agentId: agent.name, runId, consumedAt: startedAt, artifacts, visibility },
      ],
      group: journal.group,
    };
    for (const write of begun.writes) journal.write(write);
    if (!activation.isGuarded) return this.#execute(run, begun);
    const execute = () => this.#execute(run, begun);
    // If the commit fails, the end of the run writes its start again.
    return journal.committed().then(execute, execute);
  }

  #execute(run: Run, begun: Begun): Promise<void> {
    const { blackboard, questions } = this.#options;
    let output: readonly Draft[] | Promise<readonly Draft[]>;
    try {
      const context = new Context(run, blackboard, this.#logOf, questions);
      output = asCurrent(run, () => run.execute(context));
    } catch (error) {
      return this.#end(run, begun, NO_DRAFTS, readable(error));
    }
    // Not every function waits for something, and waiting for nothing costs as much.
    if (!(output instanceof Promise)) return this.#end(run, begun, output);
    return output.then(
      (drafts) => this.#end(run, begun, drafts),
      (error) => this.#end(run, begun, NO_DRAFTS, readable(error)),
    );
  }

  /** Returns the run whose function the caller belongs to, while it goes on. */
  get caller(): CurrentRun | undefined {
    const run = currentRun();
    return run && this.#runs.get(run.activation.runId) === run ? run : undefined;
  }

  #slotOf(activation: Activation): RunSlot {
    return {
      release: () => {
        this.#queue.release(activation);
        this.noteIdle();
      },
      reacquire: () => this.scheduler.reacquireSlot(activation),
    };
  }

  /** Writes what a run has brought, and that it has ended. Resolves when that is permanent, or left to the next process. */
  #end(run: Run, begun: Begun, drafts: readonly Draft[], error?: unknown): Promise<void> {
    const { agent, runId } = run.activation;
    let publications: readonly Publication[] = NO_POSTINGS;
    let failure = error;
    if (drafts.length > 0) {
      try {
        publications = this.#prepare(run.activation, drafts);
      } catch (invalid) {
        failure = readable(invalid);
      }
    }
    if (failure !== undefined && agent.hooks) failure = readable(run.explained(failure));
    this.#runs.delete(runId);
    const end = run.end(failure, publications.length === 0 ? NOTHING_PRODUCED : idsOf(publications));
    if (failure !== undefined && !(failure instanceof RunStopped)) this.#logFailure(run.activation, failure, end);
    const toldError = run.told(end.error);
    return this.#outcomes.write(
      this.#outcomeOf({ activation: run.activation, end, toldError, publications, failure, begun }),
    );
  }

  #outcomeOf(ending: Ending): Outcome {
    const { activation, end, toldError, publications, failure, begun } = ending;
    const { journal, publisher, tracing } = this.#options;
    const { agent, visibility } = activation;
    const produced = publications.every(({ artifact }) => isAtLeastAsVisible(artifact.visibility, visibility))
      ? end.produced
      : idsOf(publications.filter(({ artifact }) => isAtLeastAsVisible(artifact.visibility, visibility)));
    const told = { ...end, error: toldError as WireError, produced };
    const { again, endedAt, write } = this.#writesOfEnd(activation, end, told, failure, begun !== undefined);
    const isRetried = again?.retryAt !== undefined;
    return {
      activation,
      publications,
      write: (isFirst) => {
        if (begun?.group.hasFailed) {
          begun.group = journal.group;
          for (const one of begun.writes) journal.write(one);
        }
        if (publications.length > 0) tracing.publish(publications);
        for (const publication of publications) {
          if (isFirst) publisher.post(publication);
          else publisher.postAgain(publication);
        }
        write(isFirst);
      },
      committed: (isCancelled) => {
        if (isRetried) return this.#retry(activation, end, again, isCancelled);
        const { correlationId } = activation;
        this.#options.workflows.ended(correlationId, agent.name, end.status, endedAt, visibility);
        this.#settle(activation, end);
      },
      abandoned: () => this.#leaveForLater(activation),
      replacement: (reason) => {
        const { runId, durationMs, usage } = end;
        const kept = { runId, durationMs, produced: NOTHING_PRODUCED, ...(usage ? { usage } : {}) };
        const none = { activation, publications: NO_POSTINGS, begun };
        if (reason === "cancelled") return this.#outcomeOf({ ...none, end: { ...kept, status: "cancelled" } });
        const error = wireErrorOf(reason.refusal, { detail: this.#options.errorDetail, redaction: agent.redaction });
        const failed: RunEnd = { ...kept, status: "error", error };
        this.#logFailure(activation, reason.refusal, failed);
        // The store's reasons can quote what it was to write.
        const isPublic = publications.every(({ artifact }) => isAtLeastAsVisible(artifact.visibility, visibility));
        return this.#outcomeOf({
          ...none,
          end: failed,
          toldError: isPublic ? error : HIDDEN,
          failure: reason.refusal,
        });
      },
      isCancellable: isRetried,
    };
  }

  /** Makes artifacts of what a run has returned. Throws what is wrong with it. */
  #prepare({ agent, runId, correlationId, depth }: Activation, drafts: readonly Draft[]): readonly Publication[] {
    const { publisher } = this.#options;
    const { name: producedBy, tags, visibility, outputs } = agent;
    const origin: Origin = { producedBy, runId, correlationId, depth, tags, visibility };
    return drafts.map((draft) =>
      publisher.prepare(draft, outputs ? { ...origin, visibility: outputs.visibilityOf(draft) } : origin),
    );
  }

  /** Another attempt follows a run that has failed, and whose end is written. */
  #retry(
    activation: Activation,
    end: RunEnd,
    { runId, attempt, failures, retryAt }: ActivationAgainWrite,
    isCancelled: boolean,
  ): void {
    const next: Activation = { ...activation, runId, attempt, failures, retryOf: activation.runId };
    this.#counts[end.status] += 1;
    this.#options.tracing.ended(end);
    this.#queue.ended(activation);
    if (this.#stopped) return this.#leaveForLater(next);
    if (isCancelled) return this.#endUnstarted(next);
    this.#queue.enqueueAt(next, retryAt as number);
  }

  /**
   * Makes what is to be written of the end of a run, once for however many commits that takes. `told`: the end as viewers
   * receive it. `failure`: what the run has failed of. `again`: the next attempt, if there is to be one.
   */
  #writesOfEnd(activation: Ended, end: RunEnd, told: RunEnd, failure?: unknown, hasBegun = true) {
    const { agent, id, correlationId, visibility } = activation;
    const { journal, questions } = this.#options;
    const endedAt = this.#now();
    const again = this.#again(activation, end, failure);
    const retryAt = again?.retryAt;
    const completed: EventOf<"agent_execution_completed"> = {
      type: "agent_execution_completed",
      seq: 0,
      timestamp: endedAt,
      agent_id: agent.name,
      run_id: end.runId,
      correlation_id: correlationId,
      duration_ms: end.durationMs,
      status: end.status,
      produced_artifacts: told.produced as string[],
      error: told.error,
      usage: end.usage,
      retry_at: retryAt === undefined ? undefined : isoTime(retryAt),
      activation_id: hasBegun ? undefined : id,
      visibility,
    };
    const completedWrite = writeOf(completed);
    const last: Write = again ?? {
      kind: "activation_done",
      id,
      status: end.status,
      endedAt: Date.parse(endedAt),
      deadLetter: deadLetterOf(activation, told, endedAt),
    };
    const ofCircuit: Write[] = [];
    const write = (isFirst: boolean): void => {
      journal.write(completedWrite);
      // After the end is reported, so that viewers see what has opened or closed the circuit.
      if (isFirst) this.#tellCircuit(activation, end, failure, ofCircuit);
      else for (const one of ofCircuit) journal.write(one);
      if (!again) questions.withdraw(id);
      journal.write(last);
    };
    return { again, endedAt, write };
  }

  /** Tells an agent's circuit how a run has ended, and keeps what it writes of that. */
  #tellCircuit(activation: Ended, end: RunEnd, failure: unknown, writes: Write[]): void {
    const circuit = this.circuits.of(activation.agent);
    if (!circuit) return;
    this.#circuitWrites = writes;
    const hasOpened = circuit.ended(activation, end.status, failure);
    this.#circuitWrites = undefined;
    if (hasOpened)
      this.#options.log.warn(
        { agent: activation.agent.name },
        "an agent fails again and again, and is left alone for a while",
      );
  }

  /** The attempt that is to follow: at once on one that was interrupted, after a while on one that has failed. */
  #again(activation: Ended, end: RunEnd, failure: unknown): ActivationAgainWrite | undefined {
    const { agent, id, attempt, failures = 0, crashes = 0, refusal } = activation;
    const next = { kind: "activation_again", id, attempt: attempt + 1, crashes } as const;
    if (end.status === "interrupted") return { ...next, runId: newId(), failures };
    // Where something has been published after all, another attempt would publish it twice.
    if (!agent.retry || !isFailure(end.status) || refusal || end.produced.length > 0) return undefined;
    const now = this.#options.clock.now();
    try {
      const delay = agent.retry.delayAfter(failures + 1, failure, now);
      if (delay === undefined) return undefined;
      return { ...next, runId: newId(), failures: failures + 1, retryAt: Math.ceil(now + delay) };
    } catch (err) {
      this.#options.log.error({ err, agent: agent.name }, "`when` of .retry(…) has failed: there is no other attempt");
      return undefined;
    }
  }

  #settle(activation: Activation, end: RunEnd): void {
    this.#counts[end.status] += 1;
    this.#finish(activation, end);
  }

  #finish(activation: Activation, end: RunEnd): void {
    this.#options.tracing.ended(end);
    this.#queue.ended(activation);
    activation.onEnd?.(end);
    this.#countFinished(activation);
  }

  #countFinished({ correlationId, depth }: Activation): void {
    this.#loops.ended(correlationId, depth);
    this.#unfinished -= 1;
    this.noteIdle();
  }

  /** Who waits for a person may wait for days. A flock that shuts down waits until those have ended, too. */
  get #isIdle(): boolean {
    return this.#unfinished <= this.scheduler.held + (this.#stopped ? 0 : this.scheduler.away);
  }

  /** Resolves the callers that wait for idle, if the runner is idle. */
  noteIdle(): void {
    if (!this.#isIdle) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  #stop(status: "cancelled" | "interrupted", wanted: (activation: Omit<Activation, "onEnd">) => boolean): number {
    const withdrawn = this.#queue.withdraw(wanted);
    for (const activation of withdrawn) {
      if (status === "cancelled") this.#endUnstarted(activation);
      else this.#leaveForLater(activation);
    }
    if (status === "cancelled" && this.scheduler.paused.size > 0)
      for (const agent of new Set(withdrawn.map((activation) => activation.agent.name))) this.#options.onHeld(agent);
    const running = [...this.#runs.values()].filter((run) => !run.isStopped && wanted(run.activation));
    const unwritten = status === "cancelled" ? this.#outcomes.cancel(wanted) : 0;
    for (const run of running) run.stop(status);
    return withdrawn.length + running.length + unwritten;
  }

  #endUnstarted(activation: Activation): void {
    const end: RunEnd = { runId: activation.runId, status: "cancelled", durationMs: 0, produced: [] };
    void this.#outcomes.write(this.#outcomeOf({ activation, end, publications: NO_POSTINGS, begun: undefined }));
  }

  /** What has not begun when the flock shuts down stays queued, for the next process if the store outlives this one. */
  #leaveForLater(activation: Activation): void {
    this.#settle(activation, { runId: activation.runId, status: "interrupted", durationMs: 0, produced: [] });
  }

  /** Made when a run first logs: most runs are silent. */
  readonly #logOf = (activation: Activation): RootLog => {
    const { log, tracing } = this.#options;
    return logOf(log, activation, tracing.spanOf(activation.runId));
  };

  #logFailure(activation: Activation, err: unknown, { error }: RunEnd): void {
    const log = this.#logOf(activation);
    try {
      log.warn({ err }, "a run failed");
    } catch {
      // An error may have something in it that cannot be serialized.
      log.warn({ error }, "a run failed");
    }
  }

  readonly #tell = (event: StreamingOutput | StepEvent): void => {
    this.#options.journal.write(eventWrite(event, this.#now()));
  };

  #now(): string {
    return timestamp(this.#options.clock.now());
  }
}

function idsOf(publications: readonly Publication[]): readonly string[] {
  return publications.map(({ artifact }) => artifact.id);
}

function isFailure(status: RunEnd["status"]): status is DeadLetter["status"] {
  return status === "error" || status === "timeout";
}

/** What is kept of an activation that has failed permanently; undefined for one that has not. `end`: as viewers may see it. */
function deadLetterOf(activation: Ended, end: RunEnd, failedAt: string): DeadLetter | undefined {
  const { runId, status, error } = end;
  if (!isFailure(status) || !error) return undefined;
  const { id, agent, subscription, correlationId, attempt: attempts, artifacts, visibility } = activation;
  const about = { gate: subscription?.gate, agentId: agent.name, correlationId, attempts, artifacts, visibility };
  return { id, runId, ...about, status, error, missing: 0, failedAt };
}

/** Who may see a run: principals that may see the agent and all that it consumes; undefined: every principal. */
function runSeenBy(agent: AgentDefinition, artifacts: readonly StoredArtifact[]): EventVisibility | undefined {
  const together = seenTogether(artifacts);
  return agent.visibility.kind === "public" ? together : allOf([agent.visibility, together]);
}
