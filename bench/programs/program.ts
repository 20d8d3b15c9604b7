import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer } from "../child.ts";

/** What a program is asked to do. */
export interface Task {
  readonly what: string;
  /** How often. */
  readonly count: number;
  /** Among how many others, where that matters: agents, open keys. */
  readonly among: number;
}

export interface ProgramCalls {
  measure(task: Task): Promise<Spent>;
}

/** What something took, in ms by the clock and of CPU time. */
export interface Spent {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

/** Does it so often. */
export type Work = (count: number) => void | Promise<void>;

/** Makes ready what is to be measured. `file` does not exist yet, and is gone afterwards. */
export type Program = (among: number, file: string) => Work | Promise<Work>;

/** How many artifacts are published before the publisher waits for them. */
export const GROUP = 100;
/** What one artifact through one agent writes: 4 events, 2 artifacts, a consumption, an activation queued and ended. */
export const ROWS_PER_ARTIFACT = 9;
/** What an artifact says. */
export const TEXT = "x".repeat(200);

/** Before anything is measured, a quarter of it is done: the code is compiled then. */
const WARM_UP = 1 / 4;

/** Answers the suite that started this process, which measures one of these programs. */
export function answerWith(programs: Readonly<Record<string, Program>>): void {
  answer<ProgramCalls>({
    measure: async ({ what, count, among }) => {
      const program = programs[what];
      if (!program) throw new Error(`there is nothing called ${what}`);
      const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
      try {
        return await timed(await program(among, join(folder, "bench.db")), count);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  });
}

/** Work that is done by so many at a time, each of which waits for all of them. */
export function inGroups(atOnce: number, group: (count: number) => void | Promise<void>): Work {
  return async (count) => {
    for (let left = count; left > 0; left -= atOnce) await group(Math.min(atOnce, left));
  };
}

/** Something so often at once. */
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
