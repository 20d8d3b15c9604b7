import type { CorrelationStatus, EventVisibility, Principal, Visibility } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { ByVisibility, isRestricted } from "../../blackboard/by-visibility.ts";
import { isoTime, millisecondsOf } from "../../core/time.ts";
import type { ActivationRecord } from "../work.ts";
import type { ActivationDoneWrite, ActivationWrite } from "../writes.ts";

/** Maximum number of finished workflows. Workflows with pending work are never evicted. */
const MAX_FINISHED = 100_000;
/** Number of workflows that are evicted at once: evicting one at a time scans a growing number of gaps in the map. */
const FORGOTTEN_AT_ONCE = 10_000;
/** When counts without activity began. */
const UNTOUCHED = Number.POSITIVE_INFINITY;

/** Counts of a workflow, overall or for one visibility. Times are in milliseconds. */
interface Counts {
  startedAt: number;
  lastActivityAt: number;
  artifacts: number;
  runs: number;
  errors: number;
  pending: number;
  /** Agents whose latest run failed; undefined until the first failure, because most workflows have none. */
  failed: Set<string> | undefined;
}

interface Workflow extends Counts {
  readonly id: string;
  /** Counts per visibility; undefined until something is restricted. */
  partitions: ByVisibility<Counts> | undefined;
}

type Narrow = Visibility | EventVisibility | undefined;

/** What the counts need of an activation. */
type Work = Pick<ActivationRecord, "agentId" | "correlationId" | "visibility">;

/** Counts committed activity per correlation id, and tracks pending work. */
export class WorkflowsInMemory {
  readonly #byId = new Map<string, Workflow>();
  /** The last accessed workflow: consecutive events often belong to the same one. */
  #newest: Workflow | undefined;

  /** Counts a published artifact. */
  published({ correlationId, createdAt, visibility }: StoredArtifact): void {
    this.#count(correlationId, millisecondsOf(createdAt), visibility, (counts) => {
      counts.artifacts += 1;
    });
  }

  /** Counts an artifact after a scheduled publish, for the principals that may see it now. */
  revealed({ correlationId }: StoredArtifact, at: number, visibility: Narrow): void {
    const workflow = this.#of(correlationId);
    if (isRestricted(visibility)) partition(workflow);
    const counts = workflow.partitions?.of(visibility);
    if (!counts) return;
    touch(counts, at);
    counts.artifacts += 1;
  }

  /** Counts queued work. */
  queued({ correlationId, visibility, queuedAt }: ActivationWrite): void {
    this.#count(correlationId, queuedAt, visibility, (counts) => {
      counts.pending += 1;
      counts.runs += 1;
    });
  }

  /** Counts failed work as pending again. */
  queuedAgain({ correlationId, visibility, agentId }: Work): void {
    this.#change(correlationId, visibility, (counts) => {
      counts.pending += 1;
      counts.errors -= 1;
      counts.failed?.delete(agentId);
    });
  }

  /** Counts the end of work. */
  ended({ correlationId, visibility, agentId }: Work, { status, endedAt }: ActivationDoneWrite): void {
    this.#count(correlationId, endedAt, visibility, (counts) => {
      counts.pending -= 1;
      if (status === "error" || status === "timeout") {
        counts.errors += 1;
        counts.failed ??= new Set();
        counts.failed.add(agentId);
      } else counts.failed?.delete(agentId);
    });
    this.#forgetOldest();
  }

  /** Returns a workflow's status as a principal may see it; undefined when it may see nothing of it. */
  statusOf(id: string, as: Principal): CorrelationStatus | undefined {
    const workflow = this.#byId.get(id);
    if (!workflow) return undefined;
    const seen = as.kind === "owner" || !workflow.partitions ? [workflow] : workflow.partitions.seenBy(as);
    const known = seen.filter(({ startedAt }) => startedAt !== UNTOUCHED);
    if (known.length === 0) return undefined;
    const sum = (pick: (counts: Counts) => number) => known.reduce((total, counts) => total + pick(counts), 0);
    const pending = sum((counts) => counts.pending);
    const failed = sum((counts) => counts.failed?.size ?? 0);
    return {
      correlation_id: id,
      state: pending > 0 ? "active" : failed > 0 ? "failed" : "completed",
      has_pending_work: pending > 0,
      artifact_count: sum((counts) => counts.artifacts),
      run_count: sum((counts) => counts.runs),
      error_count: sum((counts) => counts.errors),
      started_at: isoTime(Math.min(...known.map(({ startedAt }) => startedAt))),
      last_activity_at: isoTime(Math.max(...known.map(({ lastActivityAt }) => lastActivityAt))),
    };
  }

  #count(id: string, at: number, visibility: Narrow, change: (counts: Counts) => void): void {
    this.#change(id, visibility, (counts) => {
      touch(counts, at);
      change(counts);
    });
  }

  #change(id: string, visibility: Narrow, change: (counts: Counts) => void): void {
    const workflow = this.#of(id);
    if (isRestricted(visibility)) partition(workflow);
    change(workflow);
    const counts = workflow.partitions?.of(visibility);
    if (counts) change(counts);
  }

  #of(id: string): Workflow {
    let workflow = this.#newest?.id === id ? this.#newest : this.#byId.get(id);
    if (!workflow) {
      workflow = { id, ...noCounts(), partitions: undefined };
      this.#byId.set(id, workflow);
      this.#forgetOldest();
    }
    this.#newest = workflow;
    return workflow;
  }

  #forgetOldest(): void {
    let excess = this.#byId.size - MAX_FINISHED;
    if (excess < FORGOTTEN_AT_ONCE) return;
    for (const [id, workflow] of this.#byId) {
      if (excess-- <= 0) return;
      if (workflow.pending > 0) continue;
      this.#byId.delete(id);
      if (workflow === this.#newest) this.#newest = undefined;
    }
  }
}

function touch(counts: Counts, at: number): void {
  // An event that is counted at its commit can be older than one counted earlier.
  counts.startedAt = Math.min(counts.startedAt, at);
  counts.lastActivityAt = Math.max(counts.lastActivityAt, at);
}

function noCounts(): Counts {
  return { startedAt: UNTOUCHED, lastActivityAt: 0, artifacts: 0, runs: 0, errors: 0, pending: 0, failed: undefined };
}

/** Starts to count per visibility; until now, everything was public. */
function partition(workflow: Workflow): void {
  if (workflow.partitions) return;
  const { id: _id, partitions: _partitions, failed, ...counts } = workflow;
  workflow.partitions = new ByVisibility<Counts>({ ...counts, failed: failed && new Set(failed) }, noCounts);
}
