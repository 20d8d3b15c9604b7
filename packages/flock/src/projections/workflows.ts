import type { CorrelationStatus, EventVisibility, Principal, RunStatus, Visibility } from "@flock-ts/protocol";
import { ByVisibility, isRestricted } from "../blackboard/by-visibility.ts";

/** Maximum number of finished workflows. Workflows with pending work are never evicted. */
const MAX_FINISHED = 100_000;
/** Number of workflows that are evicted at once: evicting one at a time scans a growing number of gaps in the map. */
const FORGOTTEN_AT_ONCE = 10_000;

/** Counts of a workflow, overall or for one visibility. */
interface Counts {
  startedAt: string;
  lastActivityAt: string;
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

/** Counts activity per correlation id and tracks pending work. */
export class Workflows {
  readonly #byId = new Map<string, Workflow>();
  /** The last accessed workflow: consecutive events often belong to the same one. */
  #newest: Workflow | undefined;

  /** Counts a published artifact. */
  published(id: string, at: string, visibility?: Narrow): void {
    this.#count(id, at, visibility, (counts) => {
      counts.artifacts += 1;
    });
  }

  /** Counts an artifact after a scheduled publish, for the principals that may see it now. */
  revealed(id: string, at: string, visibility: Narrow): void {
    const workflow = this.#byId.get(id);
    // After a restart, the workflow's counts come from the store.
    if (!workflow) return;
    if (isRestricted(visibility)) partition(workflow);
    const counts = workflow.partitions?.of(visibility);
    if (counts) {
      touch(counts, at);
      counts.artifacts += 1;
    }
  }

  /** Counts a queued run. Returns the workflow's number of runs, including this one. */
  queued(id: string, at: string, visibility?: Narrow): number {
    return this.#count(id, at, visibility, (counts) => {
      counts.pending += 1;
      counts.runs += 1;
    }).runs;
  }

  /** Undoes the count of a queued run that could not be written. */
  withdrawn(id: string, at: string, visibility?: Narrow): void {
    const workflow = this.#count(id, at, visibility, (counts) => {
      counts.pending -= 1;
      counts.runs -= 1;
    });
    if (workflow.runs > 0 || workflow.artifacts > 0) return;
    this.#byId.delete(id);
    if (workflow === this.#newest) this.#newest = undefined;
  }

  /** Counts the end of a run. */
  ended(id: string, agentId: string, status: RunStatus, at: string, visibility?: Narrow): void {
    this.#count(id, at, visibility, (counts) => {
      counts.pending -= 1;
      if (status === "error" || status === "timeout") {
        counts.errors += 1;
        counts.failed ??= new Set();
        counts.failed.add(agentId);
      } else if (status === "success") {
        counts.failed?.delete(agentId);
      }
    });
    this.#forgetOldest();
  }

  /** Returns a workflow's status as a principal may see it; undefined when it may see nothing of it. */
  statusOf(id: string, as: Principal): CorrelationStatus | undefined {
    const workflow = this.#byId.get(id);
    if (!workflow) return undefined;
    const seen = as.kind === "owner" || !workflow.partitions ? [workflow] : workflow.partitions.seenBy(as);
    const known = seen.filter(({ startedAt }) => startedAt !== "");
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
      started_at: known.map(({ startedAt }) => startedAt).sort()[0] as string,
      last_activity_at: known
        .map(({ lastActivityAt }) => lastActivityAt)
        .sort()
        .at(-1) as string,
    };
  }

  #count(id: string, at: string, visibility: Narrow, change: (counts: Counts) => void): Workflow {
    const workflow = this.#of(id);
    if (isRestricted(visibility)) partition(workflow);
    touch(workflow, at);
    change(workflow);
    const counts = workflow.partitions?.of(visibility);
    if (counts) {
      touch(counts, at);
      change(counts);
    }
    return workflow;
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

function touch(counts: Counts, at: string): void {
  // An event that is counted at its commit can be older than one counted earlier.
  if (counts.startedAt === "" || at < counts.startedAt) counts.startedAt = at;
  if (at > counts.lastActivityAt) counts.lastActivityAt = at;
}

function noCounts(): Counts {
  return { startedAt: "", lastActivityAt: "", artifacts: 0, runs: 0, errors: 0, pending: 0, failed: undefined };
}

/** Starts to count per visibility; until now, everything was public. */
function partition(workflow: Workflow): void {
  if (workflow.partitions) return;
  const { id: _id, partitions: _partitions, failed, ...counts } = workflow;
  workflow.partitions = new ByVisibility<Counts>({ ...counts, failed: failed && new Set(failed) }, noCounts);
}
