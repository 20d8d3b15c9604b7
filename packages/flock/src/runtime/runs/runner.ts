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
import { isoTime, timestamp } from "../../core/time.ts";
import { type ErrorDetail, readable, wireErrorOf } from "../../core/wire-error.ts";
import type { Workflows } from "../../projections/workflows.ts";
import { eventWrite, writeOf } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type {
  ActivationAgainWrite,
  BlackboardReader,
  DeadLetter,
  LeftWork,
  UnfinishedActivation,
  WorkStore,
  Write,
} from "../../store/store.ts";
import { logOf, type RootLog } from "../../telemetry/run-log.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { reportVisibility } from "../alerts/alert.ts";
import { FailureLineage } from "../alerts/failure-lineage.ts";
import { RunFailed, runFailedOf } from "../alerts/run-failed.ts";
import type { Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Questions } from "../questions/questions.ts";
import { Circuits } from "../queue/circuits.ts";
import { DelayQueue } from "../queue/delay-queue.ts";
import { Scheduler } from "../queue/scheduler.ts";
import type { Activation } from "./activation.ts";
import { Begun } from "./begun.ts";
import { Context } from "./context.ts";
import { type EarlyOutputDeps, originOf } from "./early-output.ts";
import { type Outcome, Outcomes } from "./outcomes.ts";
import type { StreamingOutput } from "./output-stream.ts";
import { HIDDEN, Run, type RunSlot, RunStopped } from "./run.ts";
import type { RunEnd } from "./run-end.ts";
import type { StepEvent } from "./steps.ts";

/** What the runner works with. */
export interface RunnerOptions {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly blackboard: BlackboardReader;
  readonly work: Pick<WorkStore, "publishedUnder">;
  /** The work that earlier processes have left. */
  readonly left: LeftWork;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RootLog;
  readonly workflows: Workflows;
  /** What runs ask people. */
  readonly questions: Questions;
  readonly tracing: Tracing;
  /** More runs than this in one workflow are a loop: they end at once with an error. */
  readonly maxRunsPerCorrelation: number;
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

/** How a run has ended, as far as it has to be written. */
interface Ending {
  readonly activation: Activation;
  readonly end: RunEnd;
  /** The error as viewers of the run receive it. */
  readonly toldError?: WireError | undefined;
  readonly publications: readonly Publication[];
  /** What the run has published before. */
  readonly early?: readonly StoredArtifact[];
  /** What the run has failed of. */
  readonly failure?: unknown;
  /** Undefined for a run that never began. */
  readonly begun: Pick<Begun, "ensure"> | undefined;
}

const NO_TAGS: readonly string[] = [];
const NO_DRAFTS: readonly Draft[] = [];
const NO_POSTINGS: readonly Publication[] = [];
const NO_ARTIFACTS: readonly StoredArtifact[] = [];
const NOTHING_PRODUCED: readonly string[] = Object.freeze([]);

/** Ended runs count under their status, the rest under these names. */
const NO_RUNS = { started: 0, success: 0, error: 0, cancelled: 0, timeout: 0, interrupted: 0 };

/** Runs agents on what has woken them, from the activation to the written end. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly scheduler: Scheduler;
  readonly #retries: DelayQueue;
  readonly circuits: Circuits;
  readonly #runs = new Map<string, Run>();
  readonly #early: EarlyOutputDeps;
  readonly #failures = new FailureLineage();
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
    this.scheduler = new Scheduler(
      options.clock,
      (activation) => options.tracing.run(activation, () => this.#run(activation)),
      options.concurrency,
    );
    this.#outcomes = new Outcomes(options);
    this.#early = options;
    this.#retries = new DelayQueue(options.clock, (activation) => this.enqueue(activation));
    this.circuits = new Circuits({
      clock: options.clock,
      emit: (event) => {
        const write = eventWrite(event, this.#now());
        this.#circuitWrites?.push(write);
        options.journal.write(write);
      },
      queueOf: (name) => ({
        withdraw: () => this.scheduler.withdraw(({ agent }) => agent.name === name),
        enqueue: (activation) => this.#schedule(activation),
      }),
    });
  }

  get counts(): RunCounts {
    return {
      ...this.#counts,
      running: this.scheduler.running,
      queued: this.scheduler.queued + this.#retries.size + this.circuits.held,
    };
  }

  /** Whether a run that a subscription has woken is queued, waits for its next attempt or goes on. */
  isBusy(subscription: Subscription): boolean {
    const isIts = (activation: Activation) => activation.subscription === subscription;
    if (this.scheduler.isWaiting(isIts) || this.#retries.has(isIts) || this.#outcomes.has(isIts)) return true;
    return [...this.#runs.values()].some(({ activation }) => isIts(activation));
  }

  /** An agent is to run, once that is written and {@link enqueue}d. */
  activate(
    subscription: Subscription,
    artifacts: readonly StoredArtifact[],
    onEnd?: (end: RunEnd) => void,
  ): Activation {
    const { agents, workflows, tracing, clock, maxRunsPerCorrelation: limit } = this.#options;
    const agent = agents.get(subscription.agentId) as AgentDefinition;
    const correlationId = artifacts[0]?.correlationId ?? newId();
    const visibility = runSeenBy(agent, artifacts);
    const runs = workflows.queued(correlationId, timestamp(clock.now()), visibility);
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
      attempt: 1,
      cause: tracing.cause(subscription, artifacts, correlationId),
      refusal: runs > limit ? new RunLimitError(agent.name, correlationId, limit) : undefined,
      onEnd,
    };
  }

  /** Runs an activation as soon as there is room for it. */
  enqueue(activation: Activation): void {
    if (this.#stopped) this.#leaveForLater(activation);
    else if (this.circuits.of(activation.agent)?.admits(activation) !== false) this.#schedule(activation);
  }

  #schedule(activation: Activation): void {
    this.scheduler.enqueue(activation);
    if (this.scheduler.held > 0 && this.scheduler.paused.has(activation.agent.name)) this.#noteHeld(activation);
  }

  #noteHeld({ agent }: Activation): void {
    this.#options.onHeld(agent.name);
    this.noteIdle();
  }

  /** Forgets an activation that could not be written. */
  abandon({ correlationId, visibility }: Activation): void {
    this.#options.workflows.withdrawn(correlationId, this.#now(), visibility);
    this.#countFinished();
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
    // Runs that are still publishing end when that is committed.
    await Promise.all([...this.#runs.values()].map((run) => isWanted(run.activation) && run.early?.pending));
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
    for (const agent of agents.values()) this.resumeAgent(agent);
    for (const [agent, { length }] of this.#unfinishedBefore) {
      log.warn({ agent, runs: length }, "runs wait for an agent that is not declared: they begin when it is");
    }
  }

  /** Goes on with what earlier processes have left undone for one agent. */
  resumeAgent(agent: AgentDefinition): void {
    const { journal, workflows } = this.#options;
    for (const left of this.#unfinishedBefore?.get(agent.name) ?? []) {
      const { id, correlationId, artifacts, started, failures, visibility, retryAt } = left;
      let { runId, attempt } = left;
      const about = { id, agent, artifacts, correlationId, failures, visibility, ...fitting(agent, left) };
      const before = { ...about, runId, attempt };
      const end = { runId, status: "interrupted", durationMs: 0, produced: [] } as const;
      const ended = started ? this.#writesOfEnd(before, end, end) : undefined;
      if (ended?.again) ({ runId, attempt } = ended.again);
      this.#unfinished += 1;
      workflows.queued(correlationId, this.#now(), visibility);
      const activation: Activation = { ...about, runId, attempt };
      if (ended) {
        void this.#outcomes.write({
          activation,
          publications: NO_POSTINGS,
          write: ended.write,
          committed: (isCancelled) => (isCancelled ? this.#endUnstarted(activation) : this.enqueue(activation)),
          abandoned: () => this.#leaveForLater(activation),
          replacement: undefined,
          isCancellable: true,
        });
      } else if (retryAt !== undefined) {
        this.#retries.enter(activation);
        this.#retries.until(activation, retryAt);
      } else {
        // It is on the blackboard already, even if the commit that it lets pass fails.
        void journal.settled().then(() => this.enqueue(activation));
      }
    }
    this.#unfinishedBefore?.delete(agent.name);
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
    return { ...next, agent, artifacts, correlationId, visibility, onEnd, ...fitting(agent, letter) };
  }

  #run(activation: Activation): Promise<void> {
    const { agent, runId, correlationId, artifacts, attempt, visibility } = activation;
    const { journal, blackboard, clock, errorDetail } = this.#options;
    const run = new Run(activation, clock, errorDetail, this.#slotOf(activation), this.#tell);
    this.#runs.set(runId, run);
    this.#counts.started += 1;
    this.#failures.started(runId, artifacts);
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
    const begun = new Begun(
      [
        { ...writeOf(started), consumes: artifacts },
        { kind: "consumption", agentId: agent.name, runId, consumedAt: startedAt, artifacts, visibility },
      ],
      journal,
    );
    run.begun = begun;
    let output: readonly Draft[] | Promise<readonly Draft[]>;
    try {
      output = run.execute(new Context(run, blackboard, this.#logOf, this.#options.questions, this.#early));
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

  #slotOf(activation: Activation): RunSlot {
    return {
      release: () => {
        this.scheduler.leave(activation);
        this.noteIdle();
      },
      reacquire: () => this.scheduler.reacquireSlot(activation),
    };
  }

  /** Writes what a run has brought, and that it has ended. Resolves when that is permanent, or left to the next process. */
  #end(run: Run, begun: Pick<Begun, "ensure">, drafts: readonly Draft[], error?: unknown): Promise<void> {
    const { agent, runId } = run.activation;
    const { early } = run;
    early?.close();
    const pending = early?.pending;
    if (pending) {
      // A stop that comes meanwhile is how the run has ended.
      return pending.then(() => {
        const failure = run.stopped ?? error;
        return this.#end(run, begun, failure === undefined ? drafts : NO_DRAFTS, failure);
      });
    }
    if (error === undefined && early?.lost !== undefined) return this.#end(run, begun, NO_DRAFTS, readable(early.lost));
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
    const published = early?.published ?? NO_ARTIFACTS;
    const end = run.end(failure, idsOf(published, publications));
    if (failure !== undefined && !(failure instanceof RunStopped)) this.#logFailure(run.activation, failure, end);
    const toldError = run.told(end.error);
    return this.#outcomes.write(
      this.#outcomeOf({ activation: run.activation, end, toldError, publications, early: published, failure, begun }),
    );
  }

  #outcomeOf(ending: Ending): Outcome {
    const { activation, end, toldError, publications, early = NO_ARTIFACTS, failure, begun } = ending;
    const { publisher, tracing } = this.#options;
    const { agent, visibility } = activation;
    const isTold = (artifact: StoredArtifact) => isAtLeastAsVisible(artifact.visibility, visibility);
    const isAllTold = early.every(isTold) && publications.every(({ artifact }) => isTold(artifact));
    const produced = isAllTold
      ? end.produced
      : idsOf(
          early.filter(isTold),
          publications.filter(({ artifact }) => isTold(artifact)),
        );
    const told = { ...end, error: toldError as WireError, produced };
    const { again, endedAt, write } = this.#writesOfEnd(activation, end, told, failure, begun !== undefined);
    const isRetried = again?.retryAt !== undefined;
    const report = again ? undefined : this.#reportOf(activation, told);
    return {
      activation,
      publications: report ? [...publications, report] : publications,
      write: (isFirst) => {
        begun?.ensure();
        if (publications.length > 0) tracing.publish(publications);
        for (const publication of publications) {
          if (isFirst) publisher.post(publication);
          else publisher.postAgain(publication);
        }
        write(isFirst);
        if (!report) return;
        tracing.publish([report]);
        if (isFirst) publisher.post(report);
        else publisher.postAgain(report);
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
        const kept = { runId, durationMs, produced: idsOf(early, NO_POSTINGS), ...(usage ? { usage } : {}) };
        const none = { activation, publications: NO_POSTINGS, early, begun };
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

  /** Returns the report of work that has failed permanently, if an agent consumes it. `told`: the end as viewers receive it. */
  #reportOf(activation: Activation, { runId, status, error }: RunEnd): Publication | undefined {
    if (!isFailure(status) || !error) return undefined;
    const { agents, publisher, log } = this.#options;
    const isWanted = [...agents.values()].some(({ consumes }) => consumes.get(RunFailed.typeName) === RunFailed);
    const { agent, correlationId, visibility, artifacts } = activation;
    if (!isWanted || !this.#failures.mayReport(agent.name, artifacts)) return undefined;
    try {
      const origin = { producedBy: agent.name, runId, correlationId, tags: NO_TAGS };
      const draft = runFailedOf(activation, runId, status, error);
      return publisher.prepare(draft, { ...origin, visibility: reportVisibility(visibility) });
    } catch (err) {
      log.error({ err, agent: agent.name, runId }, "failed to report that a run failed");
      return undefined;
    }
  }

  /** Makes artifacts of what a run has returned. Throws what is wrong with it. */
  #prepare(activation: Activation, drafts: readonly Draft[]): readonly Publication[] {
    return drafts.map((draft) => this.#options.publisher.prepare(draft, originOf(activation, draft)));
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
    if (this.#stopped) return this.#leaveForLater(next);
    if (isCancelled) return this.#endUnstarted(next);
    this.#retries.enter(next);
    this.#retries.until(next, retryAt as number);
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
    const { agent, id, attempt, failures = 0, refusal } = activation;
    const next = { kind: "activation_again", id, attempt: attempt + 1 } as const;
    if (end.status === "interrupted") return { ...next, runId: newId(), failures };
    if (!agent.retry || !isFailure(end.status) || refusal) return undefined;
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

  #finish({ onEnd }: Activation, end: RunEnd): void {
    this.#options.tracing.ended(end);
    onEnd?.(end);
    this.#countFinished();
  }

  #countFinished(): void {
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
    const withdrawn = [this.scheduler, this.#retries, this.circuits].flatMap((place) => [...place.withdraw(wanted)]);
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

/** What of its agent as it is now declared an activation of before runs on, and why not, if it must not. */
function fitting(
  agent: AgentDefinition,
  { gate, artifacts }: Pick<DeadLetter, "gate" | "artifacts">,
): Pick<Activation, "subscription" | "refusal"> {
  const able = agent.subscriptions.filter((one) => one.canTake(artifacts));
  const isCleared = artifacts.every((one) => maySee(agent.principal, one.visibility));
  return {
    subscription: able.find((one) => one.gate === gate) ?? able[0],
    refusal: isCleared ? undefined : new NotClearedError(agent.name),
  };
}

function idsOf(early: readonly StoredArtifact[], publications: readonly Publication[]): readonly string[] {
  if (early.length === 0 && publications.length === 0) return NOTHING_PRODUCED;
  return [...early.map(({ id }) => id), ...publications.map(({ artifact }) => artifact.id)];
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

/** An agent has been declared again, and may not see what it was to run on. */
class NotClearedError extends Error {
  override readonly name = "NotClearedError";

  constructor(agent: string) {
    super(`${agent} did not run: it may no longer see what has woken it. Give it the .labels(…) or .tenant(…) it had.`);
  }
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
