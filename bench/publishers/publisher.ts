import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PublisherCalls {
  /** Publishes so many artifacts, where it matters among so many agents, or beside so many open keys. */
  measure(what: string, artifacts: number, others?: number): Promise<Measured>;
}

/** What one process has measured, per CPU second of it. */
export interface Measured {
  readonly artifactsPerCpuSecond: number;
  readonly rowsPerCpuSecond: number;
}

/** How many artifacts are published before the publisher waits for them. */
export const GROUP = 100;
/** What one artifact through one agent writes: 4 events, 2 artifacts, a consumption, an activation queued and ended. */
export const ROWS_PER_ARTIFACT = 9;
/** What an artifact says. */
export const TEXT = "x".repeat(200);

/** Does something with a new file in a folder of its own, which is gone afterwards. */
export async function withFile(work: (file: string) => Promise<Measured>): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
  try {
    return await work(join(folder, "bench.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures what `work` costs that publishes so many artifacts, after a tenth of it that is not counted. */
export async function timed(
  work: (artifacts: number) => Promise<void>,
  artifacts: number,
  rows: number,
): Promise<Measured> {
  await work(artifacts / 10);
  const cpu = process.cpuUsage();
  await work(artifacts);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1_000_000;
  return { artifactsPerCpuSecond: artifacts / seconds, rowsPerCpuSecond: rows / seconds };
}
