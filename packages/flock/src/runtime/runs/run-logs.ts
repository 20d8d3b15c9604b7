import { logOf, type RootLog } from "../../telemetry/run-log.ts";
import type { Tracing } from "../../telemetry/tracing.ts";
import type { Activation } from "./activation.ts";
import type { RunEnd } from "./run-end.ts";

/** Collaborators of {@link RunLogs}. */
export interface RunLogsDeps {
  readonly log: RootLog;
  readonly tracing: Pick<Tracing, "spanOf">;
}

/** The log lines of runs. */
export class RunLogs {
  readonly #deps: RunLogsDeps;

  constructor(deps: RunLogsDeps) {
    this.#deps = deps;
  }

  /** Returns the logger of a run. Call it when the run first logs: most runs log nothing. */
  readonly of = (activation: Activation): RootLog => {
    const { log, tracing } = this.#deps;
    return logOf(log, activation, tracing.spanOf(activation.runId));
  };

  /** Logs why a run failed. */
  failed(activation: Activation, err: unknown, { error }: RunEnd): void {
    const log = this.of(activation);
    try {
      log.warn({ err }, "a run failed");
    } catch {
      // Not every error can be serialized.
      log.warn({ error }, "a run failed");
    }
  }
}
