// One measurement in a process of its own: prints JSON. Arguments: what, and how much of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { artifact, Flock } from "flock";
import { sqliteStore } from "flock/stores/sqlite";
import { z } from "zod";
import type { Measured } from "./suite.ts";

const [what = "", amount = "0"] = process.argv.slice(2);
const n = Number(amount);
const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
const file = join(folder, "bench.db");
const TEXT = "x".repeat(200);
/** How many artifacts are published before the publisher waits for them. */
const GROUP = 100;
/** What one artifact through one agent writes: 4 events, 2 artifacts, a consumption, an activation queued and ended. */
const ROWS_PER_ACTIVATION = 9;

try {
  const measured = await measure();
  process.stdout.write(JSON.stringify(measured));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function measure(): Promise<Measured> {
  switch (what) {
    case "memory":
      return throughAgent(new Flock());
    case "sqlite":
      return throughAgent(new Flock({ store: sqliteStore(file) }));
    case "sqlite-full":
      return throughAgent(new Flock({ store: sqliteStore(file, { durability: "full" }) }));
    case "bare":
      return bare();
    case "matching":
      return matching();
    default:
      throw new Error(`there is nothing called ${what}`);
  }
}

async function throughAgent(flock: Flock): Promise<Measured> {
  const In = artifact("In", z.object({ text: z.string() }));
  const Out = artifact("Out", z.object({ text: z.string() }));
  flock
    .agent("echo")
    .consumes(In)
    .publishes(Out)
    .concurrency(GROUP)
    .run(({ In: { text } }) => Out({ text }));
  const publish = async (count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      await Promise.all(Array.from({ length: GROUP }, () => flock.publish(In({ text: TEXT }))));
      await flock.runUntilIdle();
    }
  };
  await publish(n / 10);
  return timed(() => publish(n), n, n * ROWS_PER_ACTIVATION);
}

async function bare(): Promise<Measured> {
  const db = new DatabaseSync(file);
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)",
  );
  const insert = db.prepare("INSERT INTO rows (text) VALUES (?)");
  const insertAll = async (count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      db.exec("BEGIN IMMEDIATE");
      for (let j = 0; j < GROUP; j++) insert.run(TEXT);
      db.exec("COMMIT");
    }
  };
  const rows = n * ROWS_PER_ACTIVATION;
  await insertAll(rows / 10);
  return timed(() => insertAll(rows), rows, rows);
}

/** Artifacts that wake one of `n` agents each. */
async function matching(): Promise<Measured> {
  const flock = new Flock({ maxRunsPerCorrelation: Number.MAX_SAFE_INTEGER });
  const types = Array.from({ length: n }, (_, i) => artifact(`T${i}`, z.object({ text: z.string() })));
  for (const [i, type] of types.entries()) {
    flock
      .agent(`a${i}`)
      .consumes(type)
      .run(() => {});
  }
  const publish = async (count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      const drafts = Array.from({ length: GROUP }, (_, j) => types[(i + j) % 10]?.({ text: TEXT }) as never);
      await Promise.all(drafts.map((draft) => flock.publish(draft)));
      await flock.runUntilIdle();
    }
  };
  const count = 20_000;
  await publish(count / 10);
  return timed(() => publish(count), count, count);
}

async function timed(work: () => Promise<void>, artifacts: number, rows: number): Promise<Measured> {
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1_000_000;
  return { artifactsPerCpuSecond: artifacts / seconds, rowsPerCpuSecond: rows / seconds };
}
