import type { OrphanCounts } from "./orphans.ts";
import type { RunCounts } from "./runs/workload.ts";

/** What a flock has done and holds. */
export interface FlockStats {
  /** Events committed by this process. */
  readonly events: number;
  /** The newest seq. */
  readonly head: number;
  /** The oldest seq that clients can resume from. */
  readonly oldest: number;
  /** Memory that the newest events take, in bytes. */
  readonly logBufferBytes: number;
  /** How much of the disk the store takes, in bytes; undefined for one that does not outlive the process. */
  readonly storeBytes: number | undefined;
  /** Commits that have failed, on a full disk say: nothing of what was in them has happened. */
  readonly failedCommits: number;
  readonly runs: RunCounts;
  /** Runs and waiting artifacts of earlier processes that no agent takes up. */
  readonly orphans: OrphanCounts;
}
