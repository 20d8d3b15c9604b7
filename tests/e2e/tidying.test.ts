import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { FlockEvent } from "@flock-ts/protocol";
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../packages/flock/src/core/clock.ts";
import type { LogSource } from "../../packages/flock/src/log/source.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { strength } from "../support/strength.ts";

const program = fileURLToPath(new URL("programs/tidying.ts", import.meta.url));
const Note = artifact("Note", z.object({ n: z.int() }));
const KILLS = strength({ short: 3, soak: 10 });

type Piece = Extract<FlockEvent, { type: "streaming_output" }>;

/** Three writers that stream concurrently, and the notes that trigger them. */
async function written(path: string): Promise<void> {
  await using flock = await Flock.open({ store: sqliteStore(path) });
  for (const name of ["a", "b", "c"]) {
    flock
      .agent(name)
      .consumes(Note)
      .run(async ({ Note: { n } }, { stream }) => {
        for (let i = 0; i < 8; i++) {
          stream(`${name} on ${n}, piece ${i} 🍕 `);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
  }
  for (let n = 0; n < 40; n++) await flock.publish(Note({ n }), { tags: [`t${n % 3}`] });
  await flock.runUntilIdle();
}

/** Returns every event in the file, and where its log starts. */
async function read(path: string): Promise<{ events: FlockEvent[]; oldest: number }> {
  const store = await sqliteStore(path).open({ clock: systemClock });
  const log = store.log as LogSource;
  const events: FlockEvent[] = [];
  const { oldest } = log;
  for (let seq = oldest; seq <= log.head; ) {
    const { first, last, lines } = await log.read(seq, log.head);
    expect(first, "each stretch follows on the one before").toBe(seq);
    events.push(...lines.split("\n").map((line) => JSON.parse(line)));
    seq = last + 1;
  }
  await store.close();
  return { events, oldest };
}

/** Returns the physical state of the file. */
function inspect(path: string) {
  const db = new DatabaseSync(path, { readOnly: true });
  const one = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0];
  const found = {
    integrity: one("PRAGMA integrity_check"),
    firstRow: one("SELECT min(first_seq) FROM events"),
    artifacts: one("SELECT min(seq) FROM artifacts"),
    strayTags: one("SELECT count(*) FROM artifact_tags WHERE artifact_seq NOT IN (SELECT seq FROM artifacts)"),
    strayConsumptions: one("SELECT count(*) FROM consumptions WHERE artifact_seq NOT IN (SELECT seq FROM artifacts)"),
    bytes: (one("PRAGMA page_count") as number) * (one("PRAGMA page_size") as number),
  };
  db.close();
  return found;
}

describe(`housekeeping that is killed ${KILLS} times between statements`, () => {
  it("leaves a consistent file each time: the log starts where it says, and no stream is partly compacted", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "flock.db");
    await written(path);
    const all = (await read(path)).events;
    const texts = new Map<string, string>();
    for (const event of all) {
      if (event.type === "streaming_output") texts.set(event.run_id, (texts.get(event.run_id) ?? "") + event.content);
    }
    const { bytes } = inspect(path);
    const maxBytes = String(Math.round(bytes / 2));
    let [count, oldest] = [all.length, 1];

    const isWhole = async () => {
      const now = await read(path);
      expect(now.oldest).toBeGreaterThanOrEqual(oldest);
      expect(now.events.length).toBeLessThanOrEqual(count);
      [count, oldest] = [now.events.length, now.oldest];
      const { integrity, firstRow, artifacts, strayTags, strayConsumptions } = inspect(path);
      expect({ integrity, firstRow, strayTags, strayConsumptions }).toEqual({
        integrity: "ok",
        firstRow: oldest,
        strayTags: 0,
        strayConsumptions: 0,
      });
      const kept = all.filter(({ seq }) => seq >= oldest);
      const notes = kept.filter(({ type }) => type === "artifact_published").map(({ seq }) => seq);
      expect(Number(artifacts)).toBeLessThanOrEqual(notes[0] ?? Number.POSITIVE_INFINITY);
      expect(withoutPieces(now.events)).toEqual(withoutPieces(kept));
      // Each run's text from the start of the log, in consecutive chunks.
      const ends = new Map<string, number>();
      for (const { seq, run_id, content, offset } of pieces(now.events)) {
        const committed = all.find((event) => event.seq === seq) as Piece;
        expect(offset + content.length).toBe(committed.offset + committed.content.length);
        expect(content).toBe(texts.get(run_id)?.slice(offset, offset + content.length));
        const end = ends.get(run_id);
        if (end !== undefined) expect(offset).toBe(end);
        else expect(offset).toBeLessThanOrEqual(pieces(kept).find((piece) => piece.run_id === run_id)?.offset ?? 0);
        ends.set(run_id, offset + content.length);
      }
      for (const { run_id } of pieces(kept)) expect(ends.get(run_id)).toBe(texts.get(run_id)?.length);
    };

    for (let kill = 0; kill < KILLS; kill++) {
      const statement = 1 + Math.floor(Math.random() * 400);
      await using tidying = new RunningProgram(["node", program, path, maxBytes, String(statement)]);
      await tidying.exit();
      await isWhole();
    }
    await using tidying = new RunningProgram(["node", program, path, maxBytes, String(Number.MAX_SAFE_INTEGER)]);
    expect(await tidying.exit(), tidying.errors).toBe(0);
    await isWhole();
    expect(oldest).toBeGreaterThan(1);
    expect(count).toBeLessThan(all.length / 2);
    expect(inspect(path).bytes).toBeLessThan(bytes * 0.6);
  });
});

function pieces(events: readonly FlockEvent[]): Piece[] {
  return events.filter((event) => event.type === "streaming_output");
}

function withoutPieces(events: readonly FlockEvent[]): FlockEvent[] {
  return events.filter(({ type }) => type !== "streaming_output");
}
