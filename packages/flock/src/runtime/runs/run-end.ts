import type { RunStatus, WireError } from "@flock-ts/protocol";

/** How a run ended. */
export interface RunEnd {
  readonly runId: string;
  readonly status: RunStatus;
  readonly durationMs: number;
  readonly error?: WireError;
  /** Ids of the artifacts that it published. */
  readonly produced: readonly string[];
  /** What it has spent, by name. */
  readonly usage?: Readonly<Record<string, number>>;
}

/** The end of a run that has failed, as its retries and reports need it. */
export interface RunFailure extends RunEnd {
  readonly status: "error" | "timeout";
  readonly error: WireError;
}

/** Returns whether a run has failed: it was neither successful nor stopped from outside. */
export function hasFailed(end: RunEnd): end is RunFailure {
  return (end.status === "error" || end.status === "timeout") && end.error !== undefined;
}
