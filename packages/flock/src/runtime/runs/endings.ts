import { isAtLeastAsVisible, type WireError } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { type ErrorDetail, wireErrorOf } from "../../core/wire-error.ts";
import type { ActivationAgainWrite } from "../../store/store.ts";
import type { RootLog } from "../../telemetry/run-log.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import type { FailureReports } from "../alerts/failure-reports.ts";
import type { Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Activation } from "./activation.ts";
import type { Begun } from "./begun.ts";
import type { EndWrites } from "./end-writes.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import { HIDDEN } from "./run.ts";
import { hasFailed, type RunEnd } from "./run-end.ts";
import type { RunLogs } from "./run-logs.ts";
import type { Workload } from "./workload.ts";

/** Collaborators and settings of {@link Endings}. */
export interface EndingsOptions {
  readonly workload: Workload;
  readonly outcomes: Outcomes;
  readonly writes: EndWrites;
  readonly reports: FailureReports;
  readonly publisher: Pick<Publisher, "post" | "postAgain">;
  readonly tracing: Pick<Tracing, "publish">;
  readonly clock: Clock;
  readonly log: RootLog;
  readonly runLogs: RunLogs;
  /** How much events contain of errors. */
  readonly errorDetail: ErrorDetail;
}

/** How an attempt has ended. */
export interface Ending {
  readonly activation: Activation;
  readonly end: RunEnd;
  /** The error as viewers of the run receive it. */
  readonly visibleError?: WireError | undefined;
  /** What the run publishes with its end. */
  readonly publications: readonly Publication[];
  /** What the run published before its end. */
  readonly early?: readonly StoredArtifact[];
  /** Why the run failed. */
  readonly failure?: unknown;
  /** Undefined for a run that never began. */
  readonly begun: Pick<Begun, "ensure"> | undefined;
}

const NO_POSTINGS: readonly Publication[] = [];
const NO_ARTIFACTS: readonly StoredArtifact[] = [];
const NOTHING_PRODUCED: readonly string[] = Object.freeze([]);

/** Ends attempts. In one commit: the output, the end, and what follows from it: a retry, or a dead letter and its report. */
export class Endings {
  readonly #options: EndingsOptions;

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Writes an end. Resolves when it is committed or left to the next process; never rejects. */
  write(ending: Ending): Promise<void> {
    return this.#options.outcomes.write(this.#outcomeOf(ending));
  }

  /** Ends an activation as `cancelled` before it has started. */
  cancelUnstarted(activation: Activation): void {
    const end: RunEnd = { runId: activation.runId, status: "cancelled", durationMs: 0, produced: [] };
    void this.write({ activation, end, publications: NO_POSTINGS, begun: undefined });
  }

  /**
   * Writes that an earlier process ended during an attempt.
   * @param start receives the next attempt once that is committed, unless it was cancelled meanwhile.
   */
  interrupted(activation: Activation, start: (next: Activation) => void): void {
    const { outcomes, writes, workload } = this.#options;
    const end: RunEnd = { runId: activation.runId, status: "interrupted", durationMs: 0, produced: [] };
    const again = attemptAfter(activation);
    const next = { ...activation, runId: again.runId, attempt: again.attempt };
    void outcomes.write({
      activation: next,
      publications: NO_POSTINGS,
      write: writes.of({ activation, end, visible: end, failure: undefined, hasBegun: true, again }),
      committed: (isCancelled) => (isCancelled ? this.cancelUnstarted(next) : start(next)),
      abandoned: () => workload.leaveForLater(next),
      replacement: undefined,
      isCancellable: true,
    });
  }

  #outcomeOf(ending: Ending): Outcome {
    const { activation, end, publications, failure, begun } = ending;
    const { writes, reports, workload } = this.#options;
    const visible = visibleEnd(ending);
    const again = this.#nextAttempt(activation, end, failure);
    const writeEnd = writes.of({ activation, end, visible, failure, hasBegun: begun !== undefined, again });
    const report = again ? undefined : reports.reportOf(activation, visible);
    const retryAt = again?.retryAt;
    return {
      activation,
      publications: report ? [...publications, report] : publications,
      write: (isFirst) => {
        begun?.ensure();
        this.#post(publications, isFirst);
        writeEnd(isFirst);
        if (report) this.#post([report], isFirst);
      },
      committed: (isCancelled) => {
        if (again && retryAt !== undefined) this.#retry(activation, end, again, retryAt, isCancelled);
        else workload.ended(activation, end);
      },
      abandoned: () => workload.leaveForLater(activation),
      replacement: (reason) =>
        this.#outcomeOf(reason === "cancelled" ? cancelled(ending) : this.#refused(ending, reason.refusal)),
      isCancellable: retryAt !== undefined,
    };
  }

  #post(publications: readonly Publication[], isFirst: boolean): void {
    if (publications.length === 0) return;
    const { publisher, tracing } = this.#options;
    tracing.publish(publications);
    for (const publication of publications) {
      if (isFirst) publisher.post(publication);
      else publisher.postAgain(publication);
    }
  }

  /** Returns the end of a run whose output and end the store has refused permanently. */
  #refused(ending: Ending, refusal: unknown): Ending {
    const { activation, publications } = ending;
    const { errorDetail, runLogs } = this.#options;
    const error = wireErrorOf(refusal, { detail: errorDetail, redaction: activation.agent.redaction });
    const end: RunEnd = { ...withoutOutput(ending), status: "error", error };
    runLogs.failed(activation, refusal, end);
    // The store's error may quote the output.
    const isVisible = publications.every(({ artifact }) => isVisibleWith(activation, artifact));
    const visibleError = isVisible ? error : HIDDEN;
    return { ...ending, publications: NO_POSTINGS, end, visibleError, failure: refusal };
  }

  /** Enqueues the attempt that follows a failed one. */
  #retry(activation: Activation, end: RunEnd, again: ActivationAgainWrite, at: number, isCancelled: boolean): void {
    const { workload } = this.#options;
    const { runId, attempt, failures } = again;
    const next: Activation = { ...activation, runId, attempt, failures, retryOf: activation.runId };
    workload.attemptEnded(activation, end);
    if (isCancelled && !workload.isStopped) this.cancelUnstarted(next);
    else workload.enqueueAt(next, at);
  }

  /** Returns the next attempt, if there is one: without delay after an interruption, otherwise as `.retry(…)` decides. */
  #nextAttempt(activation: Activation, end: RunEnd, failure: unknown): ActivationAgainWrite | undefined {
    if (end.status === "interrupted") return attemptAfter(activation);
    const { agent, failures = 0, refusal } = activation;
    if (!agent.retry || !hasFailed(end) || refusal) return undefined;
    const { clock, log } = this.#options;
    const now = clock.now();
    try {
      const delay = agent.retry.delayAfter(failures + 1, failure, now);
      if (delay === undefined) return undefined;
      return { ...attemptAfter(activation), failures: failures + 1, retryAt: Math.ceil(now + delay) };
    } catch (err) {
      log.error({ err, agent: agent.name }, "`when` of .retry(…) has failed: there is no other attempt");
      return undefined;
    }
  }
}

function attemptAfter({ id, attempt, failures = 0, crashes = 0 }: Activation): ActivationAgainWrite {
  return { kind: "activation_again", id, runId: newId(), attempt: attempt + 1, failures, crashes };
}

/** Returns the end of a run that was cancelled before its end was committed. */
function cancelled(ending: Ending): Ending {
  const end: RunEnd = { ...withoutOutput(ending), status: "cancelled" };
  return { ...ending, publications: NO_POSTINGS, end, visibleError: undefined, failure: undefined };
}

/** Returns what remains of an end when nothing more is published. */
function withoutOutput({ end, early = NO_ARTIFACTS }: Ending): Omit<RunEnd, "status"> {
  const { runId, durationMs, usage } = end;
  return { runId, durationMs, produced: idsOf(early, NO_POSTINGS), ...(usage ? { usage } : {}) };
}

/** Returns the end as viewers of the run receive it: they may not see all that it published. */
function visibleEnd({ activation, end, visibleError, early = NO_ARTIFACTS, publications }: Ending): RunEnd {
  const isVisible = (artifact: StoredArtifact) => isVisibleWith(activation, artifact);
  const isAllVisible = early.every(isVisible) && publications.every(({ artifact }) => isVisible(artifact));
  const produced = isAllVisible
    ? end.produced
    : idsOf(
        early.filter(isVisible),
        publications.filter(({ artifact }) => isVisible(artifact)),
      );
  return { ...end, error: visibleError as WireError, produced };
}

/** Returns whether every principal that sees the run also sees an artifact. */
function isVisibleWith({ visibility }: Activation, artifact: StoredArtifact): boolean {
  return isAtLeastAsVisible(artifact.visibility, visibility);
}

/** Returns the ids of what a run published. */
export function idsOf(early: readonly StoredArtifact[], publications: readonly Publication[]): readonly string[] {
  if (early.length === 0 && publications.length === 0) return NOTHING_PRODUCED;
  return [...early.map(({ id }) => id), ...publications.map(({ artifact }) => artifact.id)];
}
