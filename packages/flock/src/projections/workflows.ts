import {
  type CorrelationStatus,
  type EventVisibility,
  OWNER,
  type Principal,
  type RunStatus,
  type Visibility,
} from "@flock-ts/protocol";
import { ByVisibility, isRestricted } from "../blackboard/by-visibility.ts";

/** How many finished workflows are remembered. A workflow with work to do is never forgotten. */
const MAX_FINISHED = 100_000;
/** So many are forgotten at a time: a map that loses its oldest entry again and again walks over ever more gaps. */
const FORGOTTEN_AT_ONCE = 10_000;

/** What is counted of a workflow: of all of it, or of what has one kind of visibility. */
interface Counts {
  startedAt: string;
  lastActivityAt: string;
  artifacts: number;
  runs: number;
  errors: number;
  pending: number;
  /** Agents whose newest run failed; undefined while there never was one: most workflows do without the set. */
  failed: Set<string> | undefined;
}

interface Workflow extends Counts {
  readonly id: string;
  /** What not everybody may see is counted apart; undefined while there is none of that. */
  classes: ByVisibility<Counts> | undefined;
}

type Narrow = Visibility | EventVisibility | undefined;

/** What belongs together by correlation id: how much has happened, and whether anything is still to come. */
export class Workflows {
  readonly #byId = new Map<string, Workflow>();
  /** The newest one touched: what happens to a workflow comes in twos and threes. */
  #newest: Workflow | undefined;

  /** An artifact was published. */
  published(id: string, at: string, visibility?: Narrow): void {
    this.#count(id, at, visibility, (counts) => {
      counts.artifacts += 1;
    });
  }

  /** An artifact's time has come: for those who may see it now it is there from now on. */
  revealed(id: string, at: string, visibility: Narrow): void {
    const workflow = this.#byId.get(id);
    // A process that begins with it knows the workflow from the store.
    if (!workflow) return;
    if (isRestricted(visibility)) apart(workflow);
    const counts = workflow.classes?.of(visibility);
    if (counts) {
      touch(counts, at);
      counts.artifacts += 1;
    }
  }

  /** A run was queued, for those to see who may see it. Returns how many runs the workflow has had so far, this one included. */
  queued(id: string, at: string, visibility?: Narrow): number {
    return this.#count(id, at, visibility, (counts) => {
      counts.pending += 1;
      counts.runs += 1;
    }).runs;
  }

  /** A run that was queued could not be written: it has never been there. */
  withdrawn(id: string, at: string, visibility?: Narrow): void {
    const workflow = this.#count(id, at, visibility, (counts) => {
      counts.pending -= 1;
      counts.runs -= 1;
    });
    if (workflow.runs > 0 || workflow.artifacts > 0) return;
    this.#byId.delete(id);
    if (workflow === this.#newest) this.#newest = undefined;
  }

  /** A run has ended. */
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

  /** How a workflow stands, as far as a principal may know; undefined when it knows nothing of it. */
  statusOf(id: string, as: Principal = OWNER): CorrelationStatus | undefined {
    const workflow = this.#byId.get(id);
    if (!workflow) return undefined;
    const seen = as.kind === "owner" || !workflow.classes ? [workflow] : workflow.classes.seenBy(as);
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
    if (isRestricted(visibility)) apart(workflow);
    touch(workflow, at);
    change(workflow);
    const counts = workflow.classes?.of(visibility);
    if (counts) {
      touch(counts, at);
      change(counts);
    }
    return workflow;
  }

  #of(id: string): Workflow {
    let workflow = this.#newest?.id === id ? this.#newest : this.#byId.get(id);
    if (!workflow) {
      workflow = { id, ...noCounts(), classes: undefined };
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
  // What is counted once it is committed can be older than what was counted before.
  if (counts.startedAt === "" || at < counts.startedAt) counts.startedAt = at;
  if (at > counts.lastActivityAt) counts.lastActivityAt = at;
}

function noCounts(): Counts {
  return { startedAt: "", lastActivityAt: "", artifacts: 0, runs: 0, errors: 0, pending: 0, failed: undefined };
}

/** From here on counts apart what not everybody may see; so far there was none of it. */
function apart(workflow: Workflow): void {
  if (workflow.classes) return;
  const { id: _id, classes: _classes, failed, ...counts } = workflow;
  workflow.classes = new ByVisibility<Counts>({ ...counts, failed: failed && new Set(failed) }, noCounts);
}
