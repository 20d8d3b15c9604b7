import type { AgentDefinition } from "../../agents/definition.ts";
import { lastingOf } from "../../blackboard/visibility.ts";
import type { RootLog } from "../../telemetry/run-log.ts";
import type { Publication } from "../publishing/publication.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { Activation } from "../runs/activation.ts";
import { hasFailed, type RunEnd } from "../runs/run-end.ts";
import { FailureLineage } from "./failure-lineage.ts";
import { RunFailed, runFailedOf } from "./run-failed.ts";

const NO_TAGS: readonly string[] = [];

/** Collaborators of {@link FailureReports}. */
export interface FailureReportsDeps {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly publisher: Pick<Publisher, "prepare">;
  readonly log: RootLog;
}

/** Creates a {@link RunFailed} for work that has failed permanently. */
export class FailureReports {
  readonly #deps: FailureReportsDeps;
  readonly #lineage = new FailureLineage();

  constructor(deps: FailureReportsDeps) {
    this.#deps = deps;
  }

  /** Notes the start of a run, which may follow from an earlier report. */
  started({ runId, artifacts }: Activation): void {
    this.#lineage.started(runId, artifacts);
  }

  /**
   * Returns the report of an activation's end; undefined if it has not failed or no agent consumes reports.
   * @param end as viewers of the run receive it.
   */
  reportOf(activation: Activation, end: RunEnd): Publication | undefined {
    if (!hasFailed(end)) return undefined;
    const { agents, publisher, log } = this.#deps;
    const isWanted = [...agents.values()].some(({ consumes }) => consumes.get(RunFailed.typeName) === RunFailed);
    const { agent, correlationId, depth, visibility, artifacts } = activation;
    if (!isWanted || !this.#lineage.mayReport(agent.name, artifacts)) return undefined;
    const { runId, status, error } = end;
    try {
      const origin = { producedBy: agent.name, runId, correlationId, depth, tags: NO_TAGS };
      const draft = runFailedOf(activation, runId, status, error);
      return publisher.prepare(draft, { ...origin, visibility: lastingOf(visibility) });
    } catch (err) {
      log.error({ err, agent: agent.name, runId }, "failed to report that a run failed");
      return undefined;
    }
  }
}
