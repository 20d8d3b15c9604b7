import { z } from "zod";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import type { Journal } from "../store/journal.ts";
import type { Gates } from "./gates/gates.ts";
import type { StrandedArtifact } from "./gates/restoration.ts";
import type { Registry } from "./registry.ts";
import type { EarlierWork } from "./runs/earlier-work.ts";

/** A queued run of an earlier process whose agent is not declared. */
export interface OrphanedRun {
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  readonly artifacts: readonly StoredArtifact[];
}

/** Work of earlier processes that no agent of today takes up. */
export interface Orphans {
  /** Runs of agents that are not declared, oldest first. */
  readonly runs: readonly OrphanedRun[];
  /** Artifacts that waited in gates which are gone or no longer accept them, oldest first. */
  readonly artifacts: readonly StrandedArtifact[];
}

/** Selects orphaned work. All given conditions must hold; at least one is required. */
export interface OrphanSelector {
  /** Name of the agent that the work was for. */
  readonly agentId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Id of a run. Selects no artifacts. */
  readonly runId?: string | undefined;
  /** Id of an artifact in a gate. Selects no runs. */
  readonly artifactId?: string | undefined;
}

/** Numbers of runs and of artifacts in gates. */
export interface OrphanCounts {
  readonly runs: number;
  readonly artifacts: number;
}

/** How many runs and artifacts were dropped or moved. */
export interface OrphansHandled extends OrphanCounts {
  /** Events up to this `seq` report it. */
  readonly seq: number;
}

/** Collaborators of {@link OrphanedWork}. */
export interface OrphanedWorkDeps {
  readonly work: Pick<EarlierWork, "orphans" | "adopt" | "cancel">;
  readonly gates: Pick<Gates, "stranded" | "strandedCount" | "drop" | "forget" | "moveTo">;
  readonly journal: Journal;
  readonly registry: Registry;
}

/** Lists, drops and moves the work of earlier processes that no agent of today takes up. */
export class OrphanedWork {
  readonly #deps: OrphanedWorkDeps;

  constructor(deps: OrphanedWorkDeps) {
    this.#deps = deps;
  }

  list(): Orphans {
    const { work, gates } = this.#deps;
    const runs = work.orphans.map(({ runId, agentId, correlationId, attempt, artifacts }) => ({
      runId,
      agentId,
      correlationId,
      attempt,
      artifacts,
    }));
    return { runs, artifacts: gates.stranded };
  }

  get counts(): OrphanCounts {
    const { work, gates } = this.#deps;
    return { runs: work.orphans.length, artifacts: gates.strandedCount };
  }

  /** Cancels orphaned runs and takes artifacts out of their gates. They stay on the blackboard. */
  async drop(selector: OrphanSelector): Promise<OrphanCounts> {
    const { work, gates, journal } = this.#deps;
    const artifacts = this.#selected(selector);
    gates.drop(artifacts);
    const written = journal.committed();
    const runs = work.cancel(runMatcher(selector));
    await journal.settled();
    await written;
    gates.forget(artifacts);
    return { runs, artifacts: artifacts.length };
  }

  /**
   * Lets an agent run orphaned runs, and offers artifacts to its gates. What its gates do not accept stays orphaned; runs
   * that do not fit become dead letters.
   */
  async move(selector: OrphanSelector, to: string): Promise<OrphanCounts> {
    const { work, gates, journal, registry } = this.#deps;
    const agent = registry.agents.get(to);
    if (!agent)
      throw new FlockError(
        "unknown_agent",
        `Unknown agent ${JSON.stringify(to)}: it cannot take over work. Declare it.`,
      );
    const moved = gates.moveTo(to, this.#selected(selector));
    const written = journal.committed();
    const runs = work.adopt(agent, runMatcher(selector));
    await written;
    gates.forget(moved);
    await journal.settled();
    return { runs, artifacts: moved.length };
  }

  #selected(selector: OrphanSelector): readonly StrandedArtifact[] {
    assertNarrow(selector);
    const { agentId, correlationId, runId, artifactId } = selector;
    if (runId !== undefined) return [];
    return this.#deps.gates.stranded.filter(
      (one) =>
        (agentId === undefined || one.agentId === agentId) &&
        (correlationId === undefined || one.artifact.correlationId === correlationId) &&
        (artifactId === undefined || one.artifact.id === artifactId),
    );
  }
}

function runMatcher({ agentId, correlationId, runId, artifactId }: OrphanSelector) {
  return (one: { readonly agentId: string; readonly correlationId: string; readonly runId: string }): boolean =>
    artifactId === undefined &&
    (agentId === undefined || one.agentId === agentId) &&
    (correlationId === undefined || one.correlationId === correlationId) &&
    (runId === undefined || one.runId === runId);
}

const selectorSchema = z.strictObject({
  agentId: z.string().optional(),
  correlationId: z.string().optional(),
  runId: z.string().optional(),
  artifactId: z.string().optional(),
});

/** A misspelt condition would select everything. */
function assertNarrow(selector: OrphanSelector): void {
  checkOptions("the selector of orphaned work", selectorSchema, selector);
  if (Object.values(selector).some((value) => value !== undefined)) return;
  throw new FlockError(
    "invalid_request",
    "Failed to select orphaned work: the selector is empty. Name an agent, a workflow, a run or an artifact.",
  );
}
