import { type EventOf, maySee, type Principal } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import type { Clock } from "../../core/clock.ts";
import { outside } from "../../core/outside.ts";
import { timestamp } from "../../core/time.ts";
import { type ErrorDetail, readable } from "../../core/wire-error.ts";
import { eventWrite, writeOf } from "../../store/event-write.ts";
import type { Journal } from "../../store/journal.ts";
import type { BlackboardReader, LeftWork, WorkStore } from "../../store/store.ts";
import type { RootLog } from "../../telemetry/run-log.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import { FailureReports } from "../alerts/failure-reports.ts";
import type { Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Questions } from "../questions/questions.ts";
import type { Activation } from "./activation.ts";
import type { Activations } from "./activations.ts";
import { Begun } from "./begun.ts";
import { CircuitEvents } from "./circuit-events.ts";
import { Context } from "./context.ts";
import { asCurrent, type CurrentRun, currentRun } from "./current-run.ts";
import { EarlierWork } from "./earlier-work.ts";
import { originOf } from "./early-output.ts";
import { EndWrites } from "./end-writes.ts";
import { Endings, idsOf } from "./endings.ts";
import { Outcomes } from "./outcomes.ts";
import type { StreamingOutput } from "./output-stream.ts";
import { Run, RunStopped } from "./run.ts";
import { RunLogs } from "./run-logs.ts";
import type { StepEvent } from "./steps.ts";
import { Workload } from "./workload.ts";

/** Collaborators and settings of {@link Runner}. */
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
  readonly questions: Questions;
  readonly tracing: Tracing;
  /** Maximum attempts at the same work that may end with a crash of the process. An agent may have its own limit. */
  readonly maxCrashes: number;
  /** Maximum concurrent runs of all agents; undefined: only the limits of the agents apply. */
  readonly concurrency?: number | undefined;
  /** How much events contain of errors. */
  readonly errorDetail: ErrorDetail;
  /** Publishes the output of runs. */
  readonly publisher: Pick<Publisher, "prepare" | "post" | "postAgain" | "committed" | "listen">;
}

/** An activation, as far as a cancel selects by it. */
type Selectable = Pick<Activation, "id" | "runId" | "correlationId"> &
  Partial<Pick<Activation, "retryOf" | "visibility">>;

const NO_DRAFTS: readonly Draft[] = [];
const NO_POSTINGS: readonly Publication[] = [];
const NO_ARTIFACTS: readonly StoredArtifact[] = [];

/** Runs the agents of activations, from their start until their function has ended, and cancels them. */
export class Runner {
  readonly workload: Workload;
  readonly earlierWork: EarlierWork;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<string, Run>();
  readonly #outcomes: Outcomes;
  readonly #endings: Endings;
  readonly #reports: FailureReports;
  readonly #runLogs: RunLogs;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const circuitEvents = new CircuitEvents(options);
    const runLogs = new RunLogs(options);
    const reports = new FailureReports(options);
    const outcomes = new Outcomes(options);
    const workload = new Workload({
      ...options,
      start: (activation) => outside(() => options.tracing.run(activation, () => this.#run(activation))),
      emit: circuitEvents.emit,
    });
    const { circuits } = workload.queue;
    const writes = new EndWrites({ ...options, circuits, circuitEvents });
    const endings = new Endings({ ...options, workload, outcomes, writes, reports, runLogs });
    this.workload = workload;
    this.earlierWork = new EarlierWork({ ...options, workload, endings, runLogs });
    this.#outcomes = outcomes;
    this.#endings = endings;
    this.#reports = reports;
    this.#runLogs = runLogs;
    options.publisher.listen({
      activated: (activation) => workload.enqueue(activation),
      abandoned: (activation) => workload.abandon(activation),
    });
  }

  /** Returns whether a run that a subscription has triggered is queued, waits for its next attempt or is running. */
  isBusy(subscription: Subscription): boolean {
    const isIts = (activation: Activation) => activation.subscription === subscription;
    if (this.workload.queue.has(isIts) || this.#outcomes.has(isIts)) return true;
    return [...this.#runs.values()].some(({ activation }) => isIts(activation));
  }

  /** Returns the run whose function the caller belongs to, until it ends. */
  get caller(): CurrentRun | undefined {
    const run = currentRun();
    return run && this.#runs.get(run.activation.runId) === run ? run : undefined;
  }

  /** Ends runs, queued or running, that a principal may see, as `cancelled`. Resolves to their number once that is committed. */
  async cancel(
    wanted: { readonly runId: string } | { readonly correlationId: string },
    as: Principal,
  ): Promise<number> {
    const isWanted = ({ id, runId, retryOf, correlationId, visibility }: Selectable) => {
      if (!maySee(as, visibility)) return false;
      return "runId" in wanted ? [runId, id, retryOf].includes(wanted.runId) : correlationId === wanted.correlationId;
    };
    const count = this.#cancel(isWanted);
    // Runs that are still publishing end when that is committed.
    await Promise.all([...this.#runs.values()].map((run) => isWanted(run.activation) && run.early?.pending));
    // Stopped runs write their end in the next microtasks; the commit of this tick has them.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#options.journal.settled();
    if (count > 0) await this.#outcomes.settled(isWanted);
    return count;
  }

  #cancel(isWanted: (activation: Selectable) => boolean): number {
    const queued = this.workload.queue.withdraw(isWanted);
    for (const activation of queued) this.#endings.cancelUnstarted(activation);
    this.workload.reportWithdrawn(queued);
    const unwritten = this.#outcomes.cancel(isWanted);
    const running = this.#stopRuns("cancelled", isWanted);
    return queued.length + unwritten + running + this.earlierWork.cancel(isWanted);
  }

  /** Ends all runs as `interrupted` and starts no more. */
  stop(): Promise<void> {
    this.workload.stop();
    this.#outcomes.stop();
    for (const activation of this.workload.queue.withdraw(() => true)) this.workload.leaveForLater(activation);
    this.#stopRuns("interrupted", () => true);
    return this.workload.idle();
  }

  /** Ends matching runs early. Returns their number. */
  #stopRuns(status: RunStopped["status"], matches: (activation: Selectable) => boolean): number {
    const running = [...this.#runs.values()].filter((run) => !run.isStopped && matches(run.activation));
    for (const run of running) run.stop(status);
    return running.length;
  }

  #run(activation: Activation): Promise<void> {
    const { clock, errorDetail, journal } = this.#options;
    const run = new Run(activation, clock, errorDetail, this.workload.slotOf(activation), this.#emit);
    this.#runs.set(activation.runId, run);
    this.#reports.started(activation);
    const begun = this.#begin(activation);
    run.begun = begun;
    if (!activation.isGuarded) return this.#execute(run, begun);
    const execute = () => this.#execute(run, begun);
    // If the commit fails, the end of the run writes its start again.
    return journal.committed().then(execute, execute);
  }

  /** Writes the start of a run. */
  #begin({ id, agent, runId, correlationId, artifacts, attempt, visibility }: Activation): Begun {
    const startedAt = this.#now();
    const started: EventOf<"agent_execution_started"> = {
      type: "agent_execution_started",
      seq: 0,
      timestamp: startedAt,
      agent_id: agent.name,
      run_id: runId,
      correlation_id: correlationId,
      activation_id: id,
      consumed_artifacts: artifacts.map((artifact) => artifact.id),
      attempt,
      visibility,
    };
    return new Begun(
      [
        { ...writeOf(started), consumes: artifacts },
        { kind: "consumption", agentId: agent.name, runId, consumedAt: startedAt, artifacts, visibility },
      ],
      this.#options.journal,
    );
  }

  /** Calls the agent's function and ends the run. */
  #execute(run: Run, begun: Begun): Promise<void> {
    const { blackboard, questions } = this.#options;
    let output: readonly Draft[] | Promise<readonly Draft[]>;
    try {
      const context = new Context(run, blackboard, this.#runLogs.of, questions, this.#options);
      output = asCurrent(run, () => run.execute(context));
    } catch (error) {
      return this.#end(run, begun, NO_DRAFTS, readable(error));
    }
    // A function that awaits nothing ends without a promise, which is faster.
    if (!(output instanceof Promise)) return this.#end(run, begun, output);
    return output.then(
      (drafts) => this.#end(run, begun, drafts),
      (error) => this.#end(run, begun, NO_DRAFTS, readable(error)),
    );
  }

  /** Publishes the output of a run and writes its end. Resolves when that is committed or left to the next process. */
  #end(run: Run, begun: Begun, drafts: readonly Draft[], error?: unknown): Promise<void> {
    const { activation } = run;
    run.closeEarly();
    const { early } = run;
    const pending = early?.pending;
    if (pending) {
      // If the run is stopped meanwhile, it ends with that.
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
        publications = this.#prepare(activation, drafts);
      } catch (invalid) {
        failure = readable(invalid);
      }
    }
    if (failure !== undefined && activation.agent.hooks) failure = readable(run.explained(failure));
    this.#runs.delete(activation.runId);
    const published = early?.published ?? NO_ARTIFACTS;
    const end = run.end(failure, idsOf(published, publications));
    if (failure !== undefined && !(failure instanceof RunStopped)) this.#runLogs.failed(activation, failure, end);
    const visibleError = run.visibleError(end.error);
    return this.#endings.write({ activation, end, visibleError, publications, early: published, failure, begun });
  }

  /** Creates artifacts from the output of a run. Throws if the output is invalid. */
  #prepare(activation: Activation, drafts: readonly Draft[]): readonly Publication[] {
    return drafts.map((draft) => this.#options.publisher.prepare(draft, originOf(activation, draft)));
  }

  readonly #emit = (event: StreamingOutput | StepEvent): void => {
    this.#options.journal.write(eventWrite(event, this.#now()));
  };

  #now(): string {
    return timestamp(this.#options.clock.now());
  }
}
