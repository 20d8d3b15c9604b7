import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer } from "../child.ts";

/** A task for a program. */
export interface Task {
  readonly what: string;
  /** Number of repetitions. */
  readonly count: number;
  /** Number of other agents or open keys, where that matters. */
  readonly among: number;
}

export interface ProgramCalls {
  measure(task: Task): Promise<Spent>;
}

/** Wall-clock and CPU time, in ms. */
export interface Spent {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

/** Runs the work a number of times. */
export type Work = (count: number) => void | Promise<void>;

/** Prepares the work to measure. `file` does not exist yet and is removed afterwards. */
export type Program = (among: number, file: string) => Work | Promise<Work>;

/** Number of artifacts that are published before waiting for them. */
export const GROUP = 100;
/** Rows per artifact through one agent: 4 events, 2 artifacts, a consumption, an activation queued and ended. */
export const ROWS_PER_ARTIFACT = 9;
/** Payload of an artifact. */
export const TEXT = "x".repeat(200);

/** Fraction of the work that runs before the measurement, so that the code is compiled. */
const WARM_UP = 1 / 4;

/** Runs these programs for the suite that started this process. */
export function answerWith(programs: Readonly<Record<string, Program>>): void {
  answer<ProgramCalls>({
    measure: async ({ what, count, among }) => {
      const program = programs[what];
      if (!program) throw new Error(`unknown program \`${what}\``);
      const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
      try {
        return await timed(await program(among, join(folder, "bench.db")), count);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  });
}

/** Runs work in groups, each of which is awaited as a whole. */
export function inGroups(atOnce: number, group: (count: number) => void | Promise<void>): Work {
  return async (count) => {
    for (let left = count; left > 0; left -= atOnce) await group(Math.min(atOnce, left));
  };
}

/** Runs something a number of times concurrently. */
export function times<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => make(i)));
}

async function timed(work: Work, count: number): Promise<Spent> {
  await work(Math.ceil(count * WARM_UP));
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work(count);
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { elapsedMs, cpuMs: (user + system) / 1_000 };
}
