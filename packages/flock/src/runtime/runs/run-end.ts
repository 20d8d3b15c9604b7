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
