import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { Recent } from "../../telemetry/recent.ts";
import { includesAlert } from "./alert.ts";
import { RunFailed, type RunFailedPayload } from "./run-failed.ts";

/** Number of runs that are remembered. Only runs that follow from a `RunFailed` count. */
const MAX_RUNS = 10_000;

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Remembers which runs follow from the report of an agent's failure, so that no chain of reports is endless. It is in
 * memory: after a restart, a chain may report each of its agents once more.
 */
export class FailureLineage {
  readonly #reported = new Recent<ReadonlySet<string>>(MAX_RUNS);
  #isUsed = false;

  /** A run starts. */
  started(runId: string, artifacts: readonly StoredArtifact[]): void {
    if (!this.#isUsed && !includesAlert(artifacts)) return;
    this.#isUsed = true;
    const agents = new Set(artifacts.flatMap((artifact) => [...this.#agentsBehind(artifact)]));
    if (agents.size > 0) this.#reported.set(runId, agents);
  }

  /**
   * Returns whether a failure of an agent is to be reported: not if the run was triggered by a report, or follows from
   * a report of the same agent's failure.
   */
  mayReport(agent: string, artifacts: readonly StoredArtifact[]): boolean {
    return !includesAlert(artifacts) && !artifacts.some((artifact) => this.#agentsBehind(artifact).has(agent));
  }

  #agentsBehind({ type, runId, payload }: StoredArtifact): ReadonlySet<string> {
    const behind = (runId === undefined ? undefined : this.#reported.get(runId)) ?? NOBODY;
    return type === RunFailed.typeName ? new Set([...behind, (payload as RunFailedPayload).agent]) : behind;
  }
}
