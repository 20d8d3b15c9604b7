import { type EventOf, isAtLeastAsVisible, maySee, type Principal, type WireError } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import { undeclaredAgent } from "../../agents/undeclared-agent.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { outside } from "../../core/outside.ts";
import { isoTime, timestamp } from "../../core/time.ts";
import { type ErrorDetail, readable, wireErrorOf } from "../../core/wire-error.ts";
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
import type { Circuits } from "../queue/circuits.ts";
import { RunQueue } from "../queue/run-queue.ts";
import type { Scheduler } from "../queue/scheduler.ts";
import { successorOf } from "../registry.ts";
import { type Activation, depthOf } from "./activation.ts";
import type { Activations } from "./activations.ts";
import { Begun } from "./begun.ts";
import { Context } from "./context.ts";
import { asCurrent, type CurrentRun, currentRun } from "./current-run.ts";
import { type EarlyOutputDeps, originOf } from "./early-output.ts";
import type { RunSlot } from "./occupancy.ts";
import { type Outcome, Outcomes } from "./outcomes.ts";
import type { StreamingOutput } from "./output-stream.ts";
import { CrashLimitError } from "./refusals.ts";
import { resumable } from "./resumable.ts";
import { HIDDEN, Run, RunStopped } from "./run.ts";
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
  readonly activations: Activations;
  readonly clock: Clock;
  readonly log: RootLog;
  /** What runs ask people. */
  readonly questions: Questions;
  readonly tracing: Tracing;
  /** How many attempts at the same work may end with a crash of the process; an agent may have its own limit. */
  readonly maxCrashes: number;
  /** How many runs may go on at the same time, of all agents; undefined: as many as the agents allow. */
  readonly concurrency?: number | undefined;
  /** How much events tell of errors. */
  readonly errorDetail: ErrorDetail;
  /** Where the output of runs goes. */
  readonly publisher: Pick<Publisher, "prepare" | "post" | "postAgain" | "committed" | "listen">;
}

/** How many runs there were, by how they ended, and are. */
export type RunCounts = Readonly<Record<RunEnd["status"] | "started" | "running" | "queued", number>>;

/** A run whose end is not reported yet. */
type Ended = Omit<Activation, "runId" | "onEnd">;

/** Work that an earlier process has left to an agent. `crashes` includes the last crash. */
type LeftActivation = UnfinishedActivation & { readonly agent: AgentDefinition; readonly crashes: number };

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

/** A run that began in an earlier process. */
const BEGUN_BEFORE: Pick<Begun, "ensure"> = { ensure: () => {} };
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
  readonly #queue: RunQueue;
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
  readonly #heldListeners: ((agent: string) => void)[] = [];
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
    this.#early = options;
    options.publisher.listen({
      activated: (activation) => this.enqueue(activation),
      abandoned: (activation) => this.abandon(activation),
    });
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

  /** Runs an activation as soon as there is room for it. */
  enqueue(activation: Activation): void {
    if (this.#stopped) this.#leaveForLater(activation);
    else this.#queue.enqueue(activation);
  }

  /** Calls `listener` with the name of each paused agent whose queue has changed. */
  onHeld(listener: (agent: string) => void): void {
    this.#heldListeners.push(listener);
  }

  #reportHeld(agent: string): void {
    for (const listener of this.#heldListeners) listener(agent);
  }

  #noteHeld({ agent }: Activation): void {
    this.#reportHeld(agent.name);
    this.noteIdle();
  }

  /** Forgets an activation that could not be written. */
  abandon(activation: Activation): void {
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
    const known = [...agents.values()];
    this.#resume(known.flatMap((agent) => this.#takeLeftOf(agent)));
    for (const [agent, { length }] of this.#unfinishedBefore) {
      log.warn({ agent, runs: length }, "runs wait for an undeclared agent: see `flock.orphans()`");
    }
  }

  /** Goes on with what earlier processes have left undone for one agent. */
  resumeAgent(agent: AgentDefinition): void {
    this.#resume(this.#takeLeftOf(agent));
  }

  #takeLeftOf(agent: AgentDefinition): LeftActivation[] {
    const names = [agent.name, ...agent.formerNames];
    return names.flatMap((name) => this.#takeOrphans((one) => one.agentId === name)).map(this.#claimedBy(agent));
  }

  #claimedBy(agent: AgentDefinition): (left: UnfinishedActivation) => LeftActivation {
    const { hasCrashed } = this.#options.left;
    return (left) => ({ ...left, agent, crashes: (left.crashes ?? 0) + (left.started && hasCrashed ? 1 : 0) });
  }

  /** Work that a crash has interrupted starts last: it may have caused the crash, and may do so again. */
  #resume(left: readonly LeftActivation[]): void {
    // What has not begun is on the blackboard already, even if the commit that it lets pass fails.
    const ready = this.#options.journal.settled();
    const inOrder = left.toSorted((a, b) => Math.sign(a.crashes) - Math.sign(b.crashes));
    for (const one of inOrder) this.#resumeOne(one, ready);
  }

  #resumeOne(left: LeftActivation, ready: Promise<void>): void {
    const { id, agent, crashes, correlationId, started, failures, visibility, retryAt } = left;
    let { runId, attempt } = left;
    const isGuarded = this.#options.left.hasCrashed;
    const about = { id, agent, correlationId, failures, crashes, visibility, isGuarded };
    const before = { ...about, runId, attempt, ...this.#takeUp(agent, left) };
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

  /** Runs of earlier processes whose agents are not declared, oldest first. Empty until work begins. */
  get orphans(): readonly UnfinishedActivation[] {
    return [...(this.#unfinishedBefore?.values() ?? [])].flat();
  }

  /** Lets another agent run orphaned runs. Returns their number. */
  adopt(agent: AgentDefinition, wanted: (orphan: UnfinishedActivation) => boolean): number {
    const adopted = this.#takeOrphans(wanted);
    this.#resume(adopted.map(this.#claimedBy(agent)));
    return adopted.length;
  }

  /** Ends orphaned runs as `cancelled`. Resolves to their number, once that is committed. */
  async cancelOrphans(wanted: (orphan: UnfinishedActivation) => boolean): Promise<number> {
    const count = this.#cancelOrphans(({ agent, ...activation }) =>
      wanted({ ...activation, agentId: agent.name, gate: undefined, started: false }),
    );
    await this.#options.journal.settled();
    return count;
  }

  #cancelOrphans(wanted: (activation: Omit<Activation, "onEnd">) => boolean): number {
    const asActivation = (orphan: UnfinishedActivation) => {
      const { agentId, gate: _, started: __, retryAt: ___, visibility, ...activation } = orphan;
      const agent = undeclaredAgent(agentId);
      return { ...activation, visibility, agent, subscription: undefined, depth: depthOf(orphan.artifacts) };
    };
    const cancelled = this.#takeOrphans((orphan) => wanted(asActivation(orphan)));
    for (const orphan of cancelled) {
      const activation = asActivation(orphan);
      this.#options.activations.pending(activation);
      this.#endUnstarted(activation);
    }
    return cancelled.length;
  }

  #takeOrphans(wanted: (orphan: UnfinishedActivation) => boolean): readonly UnfinishedActivation[] {
    const taken: UnfinishedActivation[] = [];
    for (const [name, orphans] of this.#unfinishedBefore ?? []) {
      const left = orphans.filter((orphan) => !wanted(orphan));
      if (left.length === orphans.length) continue;
      taken.push(...orphans.filter(wanted));
      if (left.length > 0) this.#unfinishedBefore?.set(name, left);
      else this.#unfinishedBefore?.delete(name);
    }
    return taken;
  }

  /** A dead letter is to run again, once that is written and {@link enqueue}d. Its agent must be declared. */
  runAgain(letter: DeadLetter, onEnd: (end: RunEnd) => void): Activation {
    const { agents, journal } = this.#options;
    const { id, correlationId, visibility } = letter;
    const agent = successorOf(agents, letter.agentId) as AgentDefinition;
    const next = { id, runId: newId(), attempt: letter.attempts + 1 };
    journal.write({ kind: "dead_letter_again", ...next });
    const about = { agent, correlationId, visibility };
    return { ...next, ...about, onEnd, isGuarded: true, ...this.#takeUp(agent, letter) };
  }

  /** Counts earlier work as pending, and matches it with its agent of today. */
  #takeUp(
    agent: AgentDefinition,
    record: Pick<DeadLetter, "gate" | "artifacts" | "correlationId">,
  ): ReturnType<typeof resumable> {
    const taken = resumable(agent, record);
    const { correlationId } = record;
    const loop = this.#options.activations.pending({ agent, correlationId, depth: taken.depth });
    return { ...taken, refusal: taken.refusal ?? loop };
  }

  #run(activation: Activation): Promise<void> {
    const { agent, runId, correlationId, artifacts, attempt, visibility } = activation;
    const { journal, clock, errorDetail } = this.#options;
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
    if (!activation.isGuarded) return this.#execute(run, begun);
    const execute = () => this.#execute(run, begun);
    // If the commit fails, the end of the run writes its start again.
    return journal.committed().then(execute, execute);
  }

  #execute(run: Run, begun: Begun): Promise<void> {
    const { blackboard, questions } = this.#options;
    let output: readonly Draft[] | Promise<readonly Draft[]>;
    try {
      const context = new Context(run, blackboard, this.#logOf, questions, this.#early);
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
  #end(run: Run, begun: Pick<Begun, "ensure">, drafts: readonly Draft[], error?: unknown): Promise<void> {
    const { agent, runId } = run.activation;
    run.closeEarly();
    const { early } = run;
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
    const { again, write } = this.#writesOfEnd(activation, end, told, failure, begun !== undefined);
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
    const { agent, correlationId, depth, visibility, artifacts } = activation;
    if (!isWanted || !this.#failures.mayReport(agent.name, artifacts)) return undefined;
    try {
      const origin = { producedBy: agent.name, runId, correlationId, depth, tags: NO_TAGS };
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
    return { again, write };
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

  #finish(activation: Activation, end: RunEnd): void {
    this.#options.tracing.ended(end);
    this.#queue.ended(activation);
    activation.onEnd?.(end);
    this.#countFinished(activation);
  }

  #countFinished(activation: Activation): void {
    this.#options.activations.ended(activation);
    this.noteIdle();
  }

  /** Who waits for a person may wait for days. A flock that shuts down waits until those have ended, too. */
  get #isIdle(): boolean {
    return this.#options.activations.unfinished <= this.scheduler.held + (this.#stopped ? 0 : this.scheduler.away);
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
      for (const agent of new Set(withdrawn.map((activation) => activation.agent.name))) this.#reportHeld(agent);
    const running = [...this.#runs.values()].filter((run) => !run.isStopped && wanted(run.activation));
    const unwritten = status === "cancelled" ? this.#outcomes.cancel(wanted) : 0;
    for (const run of running) run.stop(status);
    const orphaned = status === "cancelled" ? this.#cancelOrphans(wanted) : 0;
    return withdrawn.length + running.length + unwritten + orphaned;
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
  const about = { gate: subscription?.identity, agentId: agent.name, correlationId, attempts, artifacts, visibility };
  return { id, runId, ...about, status, error, missing: 0, failedAt };
}
