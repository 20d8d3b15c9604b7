import type { CorrelationStatus, RunStatus } from "@flock/protocol";

/** How many finished workflows are remembered. A workflow with work to do is never forgotten. */
const MAX_FINISHED = 100_000;
/** So many are forgotten at a time: a map that loses its oldest entry again and again walks over ever more gaps. */
const FORGOTTEN_AT_ONCE = 10_000;

interface Workflow {
  readonly id: string;
  readonly startedAt: string;
  lastActivityAt: string;
  artifacts: number;
  runs: number;
  errors: number;
  pending: number;
  /** Agents whose newest run failed; undefined while there never was one: most workflows do without the set. */
  failed: Set<string> | undefined;
}

/** What belongs together by correlation id: how much has happened, and whether anything is still to come. */
export class Workflows {
  readonly #byId = new Map<string, Workflow>();
  /** The newest one touched: what happens to a workflow comes in twos and threes. */
  #newest: Workflow | undefined;

  /** An artifact was published. */
  published(id: string, at: string): void {
    this.#touch(id, at).artifacts += 1;
  }

  /** A run was queued. Returns how many runs the workflow has had so far, this one included. */
  queued(id: string, at: string): number {
    const workflow = this.#touch(id, at);
    workflow.pending += 1;
    workflow.runs += 1;
    return workflow.runs;
  }

  /** A run has ended. */
  ended(id: string, agentId: string, status: RunStatus, at: string): void {
    const workflow = this.#touch(id, at);
    workflow.pending -= 1;
    if (status === "error" || status === "timeout") {
      workflow.errors += 1;
      workflow.failed ??= new Set();
      workflow.failed.add(agentId);
    } else if (status === "success") {
      workflow.failed?.delete(agentId);
    }
    this.#forgetOldest();
  }

  /** How a workflow stands; undefined when it is not known. */
  statusOf(id: string): CorrelationStatus | undefined {
    const workflow = this.#byId.get(id);
    if (!workflow) return undefined;
    const { pending, failed } = workflow;
    return {
      correlation_id: id,
      state: pending > 0 ? "active" : failed?.size ? "failed" : "completed",
      has_pending_work: pending > 0,
      artifact_count: workflow.artifacts,
      run_count: workflow.runs,
      error_count: workflow.errors,
      started_at: workflow.startedAt,
      last_activity_at: workflow.lastActivityAt,
    };
  }

  #touch(id: string, at: string): Workflow {
    let workflow = this.#newest?.id === id ? this.#newest : this.#byId.get(id);
    if (!workflow) {
      workflow = {
        id,
        startedAt: at,
        lastActivityAt: at,
        artifacts: 0,
        runs: 0,
        errors: 0,
        pending: 0,
        failed: undefined,
      };
      this.#byId.set(id, workflow);
      this.#forgetOldest();
    }
    workflow.lastActivityAt = at;
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
