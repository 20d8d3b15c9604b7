import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type FlockEvent, mergedSeqs, OWNER } from "@flock-ts/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { systemClock } from "../../core/clock.ts";
import { compact } from "../../log/compaction.ts";
import { EventLog } from "../../log/event-log.ts";
import { commit } from "../contract.ts";
import { eventWrite } from "../event-write.ts";
import type { SealedEvent } from "../store.ts";
import type { Write } from "../writes.ts";
import { Housekeeping } from "./housekeeping.ts";
import { openFile } from "./open.ts";
import { MIGRATIONS, migrate } from "./schema.ts";
import type { SqliteSession } from "./session.ts";
import { type SqliteStoreOptions, sqliteStore } from "./store.ts";

let folder = "";
let path = "";
const open: SqliteSession[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-file-"));
  path = join(folder, "flock.db");
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

function openFileAt(at: string, options?: SqliteStoreOptions): Promise<SqliteSession> {
  return sqliteStore(at, options).open({ clock: systemClock }) as Promise<SqliteSession>;
}

async function storeOnFile(options?: SqliteStoreOptions): Promise<SqliteSession> {
  const store = await openFileAt(path, options);
  open.push(store);
  return store;
}

async function closed(store: SqliteSession): Promise<void> {
  open.splice(open.indexOf(store), 1);
  await store.close();
}

let numbered = 0;
function publication(payload: unknown, { type = "Idea", tags = [] as string[], createdAt = Date.now() } = {}) {
  const artifact: StoredArtifact = {
    id: `a${++numbered}`,
    type,
    payload,
    producedBy: "external",
    correlationId: `c${numbered % 3}`,
    tags,
    visibility: { kind: "public" },
    createdAt: new Date(createdAt).toISOString(),
    seq: 0,
  };
  const write = eventWrite(
    {
      type: "artifact_published",
      artifact_id: artifact.id,
      artifact_type: type,
      produced_by: "external",
      correlation_id: artifact.correlationId,
      tags,
      visibility: { kind: "public" },
    },
    artifact.createdAt,
    { artifact, json: JSON.stringify(payload), inline: true },
  );
  return { artifact, write };
}

function piece(run: string, offset: number, content: string) {
  return eventWrite(
    {
      type: "streaming_output",
      agent_id: "writer",
      run_id: run,
      correlation_id: "c",
      content,
      is_complete: false,
      offset,
      output_type: "text",
    },
    new Date().toISOString(),
  );
}

async function everythingIn(store: SqliteSession): Promise<FlockEvent[]> {
  const { log } = store;
  const events: FlockEvent[] = [];
  for (let seq = log.oldest; seq <= log.head; ) {
    const { lines, last } = await log.read(seq, log.head);
    events.push(...lines.split("\n").map((line) => JSON.parse(line)));
    seq = last + 1;
  }
  return events;
}

/** Housekeeping by hand, on a file whose store is closed. */
function tidy(retention: { maxAgeMs?: number; maxBytes?: number } = {}): void {
  const file = openFile(path);
  const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
  const housekeeping = new Housekeeping(file.db, { ...everything, ...retention }, systemClock);
  for (let steps = 0; housekeeping.step(); steps++) expect(steps).toBeLessThan(10_000);
  file.close();
}

describe("a file that cannot be used is left as it is, and the error says what to do", () => {
  it("when another process has it", async () => {
    await storeOnFile();
    await expect(openFileAt(path)).rejects.toThrow(/another process uses it.*End that process/);
  });

  it("when it is no database, or another program's", async () => {
    writeFileSync(path, "These are notes, and no database at all. ".repeat(50));
    const before = readFileSync(path);
    await expect(openFileAt(path)).rejects.toThrow(/is not a SQLite database/);
    expect(readFileSync(path)).toEqual(before);
    rmSync(path);
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE notes (text TEXT)");
    other.close();
    await expect(openFileAt(path)).rejects.toThrow(/of another program/);
  });

  it("when a newer version has written it", async () => {
    await closed(await storeOnFile());
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const before = readFileSync(path);
    await expect(openFileAt(path)).rejects.toThrow(/newer version of Flock wrote it \(schema 99.*Update Flock/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("when it is damaged", async () => {
    const store = await storeOnFile();
    for (let i = 0; i < 200; i++) await commit(store, [publication({ text: "x".repeat(2_000) }).write]);
    await closed(store);
    const bytes = readFileSync(path);
    const damaged = Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 7)]);
    writeFileSync(path, damaged);
    await expect(openFileAt(path)).rejects.toThrow(/damaged.*backup/);
    expect(readFileSync(path).equals(damaged)).toBe(true);
  });

  it("when the end of it is missing, wherever it was cut off", async () => {
    const store = await storeOnFile();
    for (let i = 0; i < 100; i++) await commit(store, [publication({ text: "x".repeat(2_000) }).write]);
    await closed(store);
    const bytes = readFileSync(path);
    for (const length of [bytes.length - 4_096, bytes.length >> 1, 4_096, 512, 50]) {
      const cut = bytes.subarray(0, length);
      writeFileSync(path, cut);
      await expect(openFileAt(path), `${length} bytes`).rejects.toThrow(/damaged.*backup|not a SQLite database/);
      expect(readFileSync(path).equals(cut)).toBe(true);
    }
    writeFileSync(path, bytes);
    expect((await storeOnFile()).log.head).toBe(100);
  });

  it("when its place is a folder", async () => {
    await expect(openFileAt(folder)).rejects.toThrow(/cannot be opened/);
  });
});

describe("a file that is damaged in the middle", () => {
  it("is reported to its reader, and does not affect other readers", async () => {
    const store = await storeOnFile();
    const marked = (n: number) => publication({ text: `piece ${n} `.padEnd(30_000, "x") }).write;
    for (let i = 0; i < 60; i++) await commit(store, [marked(i)]);
    for (let i = 60; i < 1_100; i++) await commit(store, [publication({}).write]);
    await closed(store);
    const bytes = readFileSync(path);
    // The payload is in the event and in the artifact: of each the first page that holds nothing else.
    const filling = Buffer.alloc(4_000, "x");
    for (let at = bytes.indexOf("piece 30 "); at >= 0; at = bytes.indexOf("piece 30 ", at + 1)) {
      let page = at - (at % 4_096) + 4_096;
      while (!bytes.subarray(page, page + 4_096).includes(filling)) page += 4_096;
      bytes.fill(0xff, page, page + 4_096);
    }
    writeFileSync(path, bytes);
    const after = await storeOnFile();
    const log = new EventLog(after.epoch, 0, after.log);
    const readAll = async (from: number) => {
      let events = 0;
      for (let seq = from; seq < log.head; ) {
        const batch = await log.read(seq, log.head, undefined, 1_000_000);
        events += batch.events;
        seq = batch.seq;
      }
      return events;
    };
    await expect(readAll(0)).rejects.toThrow(/is damaged\. Restore a backup/);
    expect(await log.beforeNewest(1_090, 1_100, undefined)).toBe(1_023);
    expect(await readAll(1_023)).toBe(77);
    await commit(after, [publication({}).write]);
    expect(after.log.head).toBe(1_101);
  });
});

describe("a disk that is full", () => {
  it("refuses a snapshot, and no other group with it", async () => {
    const store = await storeOnFile({ maxFileBytes: 400_000 });
    const { write } = publication({ text: "small" });
    const large: Write = { kind: "snapshot", seq: 0, state: JSON.stringify("x".repeat(500_000)) };
    const { events, refused } = await store.commit([[large], [write]]);
    expect(events.map(({ seq }) => seq)).toEqual([1]);
    expect([...refused.keys()]).toEqual([0]);
    expect(refused.get(0)?.message).toMatch(/is full.*Free some space/);
    expect((await everythingIn(store)).map(({ seq }) => seq)).toEqual([1]);
    await store.commit([[{ kind: "snapshot", seq: 1, state: '"small"' }]]);
    expect((await store.work.load()).snapshot).toEqual({ seq: 1, state: "small" });
  });

  it("refuses the whole commit with what to do, and goes on with the same seq when there is room", async () => {
    // SQLite reports the end of the disk and the end of what a file may be alike.
    const store = await storeOnFile({ maxFileBytes: 400_000 });
    await commit(store, [publication({ text: "small" }).write]);
    const big = () => publication({ text: "x".repeat(300_000) }).write;
    await expect(commit(store, [publication({ text: "with it" }).write, big(), big()])).rejects.toThrow(
      /Nothing was written.*is full.*Free some space/,
    );
    const { write } = publication({ text: "next" });
    await commit(store, [write]);
    expect(write.event.seq).toBe(2);
    expect((await everythingIn(store)).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe("a file of an older version", () => {
  const step = `
    ALTER TABLE artifacts ADD COLUMN stars INTEGER NOT NULL DEFAULT 3;
    UPDATE artifacts SET stars = seq;
    CREATE INDEX artifacts_by_stars ON artifacts (stars);
  `;
  const version = MIGRATIONS.length;

  /** A blackboard with something on it, and all that its file holds. */
  async function written(): Promise<{ before: string }> {
    const store = await storeOnFile();
    for (let n = 1; n <= 20; n++) await commit(store, [publication({ n }, { tags: ["t"] }).write]);
    await closed(store);
    const file = new DatabaseSync(path);
    const before = contents(file);
    file.close();
    return { before };
  }

  function contents(db: DatabaseSync): string {
    const tables = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all() as { name: string }[];
    const rows = tables
      .filter(({ name }) => !name.includes("_by_") && !name.startsWith("sqlite_") && name !== "activations_open")
      .map(({ name }) => db.prepare(`SELECT * FROM ${name}`).all());
    return JSON.stringify([db.prepare("PRAGMA user_version").get(), tables, rows]);
  }

  it("is brought up to date with all that is in it", async () => {
    await written();
    const db = new DatabaseSync(path);
    migrate(db, version, [...MIGRATIONS, step]);
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: version + 1 });
    expect(db.prepare("SELECT count(*) AS n, sum(stars) AS stars FROM artifacts").get()).toEqual({ n: 20, stars: 210 });
    migrate(db, version + 1, [...MIGRATIONS, step]);
    db.close();
    // What it has become is not for the version before: that one leaves it alone.
    await expect(openFileAt(path)).rejects.toThrow(/newer version of Flock/);
  });

  it("is unchanged when a step fails, regardless of earlier steps", async () => {
    const { before } = await written();
    const db = new DatabaseSync(path);
    const broken = "CREATE TABLE half (n INTEGER); INSERT INTO half VALUES (1); INSERT INTO nowhere VALUES (1);";
    expect(() => migrate(db, version, [...MIGRATIONS, step, broken])).toThrow(/nowhere/);
    expect(db.isTransaction).toBe(false);
    expect(contents(db)).toBe(before);
    db.close();
    const store = await storeOnFile();
    expect((await everythingIn(store)).map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe("a loss of power", () => {
  /** The file as a machine that went down has left it: open, and by a process of another start of the machine. */
  async function afterLossOfPower(lived: "normal" | "full"): Promise<string> {
    const store = await storeOnFile({ durability: lived });
    await commit(store, [publication({}).write]);
    const { epoch } = store;
    const copy = join(folder, "copy.db");
    // Not closed: what a process does at its end must not help here.
    for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
    await closed(store);
    for (const end of ["", "-wal"]) if (existsSync(copy + end)) copyFileSync(copy + end, path + end);
    const db = new DatabaseSync(path);
    db.exec("UPDATE log SET booted_at = booted_at - 86400000");
    db.close();
    return epoch;
  }

  it("begins another log when the newest events may not have reached the disk", async () => {
    const epoch = await afterLossOfPower("normal");
    const after = await storeOnFile();
    expect(after.epoch).not.toBe(epoch);
    expect(after.log.head).toBe(1);
  });

  it("also for a process that now waits for the disk: it is the one before that did not", async () => {
    const epoch = await afterLossOfPower("normal");
    expect((await storeOnFile({ durability: "full" })).epoch).not.toBe(epoch);
  });

  it("changes nothing when each commit had waited for the disk", async () => {
    const epoch = await afterLossOfPower("full");
    expect((await storeOnFile({ durability: "normal" })).epoch).toBe(epoch);
  });

  it("is not what a crash of the process is", async () => {
    const store = await storeOnFile();
    const { epoch } = store;
    await closed(store);
    const db = new DatabaseSync(path);
    db.exec("UPDATE log SET is_open = 1");
    db.close();
    expect((await storeOnFile()).epoch).toBe(epoch);
  });
});

describe("retention", () => {
  it("by age drops old events and artifacts, but nothing that a queued run or a gate needs", async () => {
    const store = await storeOnFile();
    const old = Date.now() - 3_600_000;
    const [queued, gathered, gone, young] = [
      publication({ n: 1 }, { createdAt: old }),
      publication({ n: 2 }, { createdAt: old }),
      publication({ n: 3 }, { createdAt: old, tags: ["t"] }),
      publication({ n: 4 }),
    ];
    await commit(store, [
      queued.write,
      {
        kind: "activation",
        queuedAt: old,
        id: "run",
        runId: "run",
        agentId: "a",
        gate: "0",
        correlationId: "c",
        attempt: 1,
        artifacts: [queued.artifact],
      },
      gathered.write,
      {
        kind: "gathered",
        agentId: "a",
        gate: "0",
        key: undefined,
        artifact: gathered.artifact,
        position: 1,
        group: undefined,
      },
      gone.write,
      {
        kind: "consumption",
        agentId: "a",
        runId: "r",
        consumedAt: new Date(old).toISOString(),
        artifacts: [gone.artifact],
      },
    ]);
    await commit(store, [young.write]);
    await closed(store);
    tidy({ maxAgeMs: 60_000 });
    const after = await storeOnFile();
    expect((await after.blackboard.query({}, OWNER)).artifacts.map(({ payload }) => payload)).toEqual([
      { n: 4 },
      { n: 2 },
      { n: 1 },
    ]);
    expect((await everythingIn(after)).map(({ seq }) => seq)).toEqual([4]);
    expect((await after.work.load()).unfinished[0]?.artifacts[0]?.payload).toEqual({ n: 1 });
    expect((await after.work.load()).gathered[0]?.artifact.payload).toEqual({ n: 2 });
    expect(await after.blackboard.consumptionsOf([gone.artifact.id], OWNER)).toEqual(new Map([[gone.artifact.id, []]]));
  });

  it("drops all artifacts of a commit, however many, and what was needed as soon as it is not", async () => {
    const store = await storeOnFile();
    const old = Date.now() - 3_600_000;
    const many = Array.from({ length: 700 }, (_, n) =>
      publication({ n }, { createdAt: old, tags: ["t", `t${n % 7}`] }),
    );
    const [first] = many as [(typeof many)[number]];
    const activation = { id: "run", runId: "run", agentId: "a", gate: "0", correlationId: "c", attempt: 1 };
    await commit(store, [
      ...many.map(({ write }) => write),
      { kind: "activation", queuedAt: old, ...activation, artifacts: [first.artifact] },
      {
        kind: "consumption",
        agentId: "a",
        runId: "run",
        consumedAt: new Date().toISOString(),
        artifacts: [first.artifact],
      },
    ]);
    await commit(store, [publication({ n: "young" }, { tags: ["t"] }).write]);
    await closed(store);
    tidy({ maxAgeMs: 60_000 });
    const between = await storeOnFile();
    expect((await between.blackboard.query({}, OWNER)).artifacts.map(({ payload }) => payload)).toEqual([
      { n: "young" },
      { n: 0 },
    ]);
    expect((await between.blackboard.query({ tags: ["t"] }, OWNER)).total).toBe(2);
    await commit(between, [{ kind: "activation_done", id: "run", status: "success", endedAt: Date.now() }]);
    await closed(between);
    tidy();
    tidy({ maxAgeMs: 60_000 });
    const after = await storeOnFile();
    expect((await after.blackboard.query({ tags: ["t"] }, OWNER)).artifacts.map(({ payload }) => payload)).toEqual([
      { n: "young" },
    ]);
    expect(await after.blackboard.consumptionsOf([first.artifact.id], OWNER)).toEqual(
      new Map([[first.artifact.id, []]]),
    );
    await closed(after);
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = (table: string) => Object.values(db.prepare(`SELECT count(*) FROM ${table}`).get() ?? {})[0];
    expect(["artifacts", "artifact_tags", "consumptions"].map(rows)).toEqual([1, 1, 0]);
    db.close();
  });

  it("by size drops the oldest until the file is small enough, and gives the space back", async () => {
    const store = await storeOnFile();
    for (let i = 0; i < 300; i++) await commit(store, [publication({ text: "x".repeat(20_000) }).write]);
    await closed(store);
    const limit = 2_000_000;
    tidy({ maxBytes: limit });
    const db = new DatabaseSync(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    expect(readFileSync(path).length).toBeLessThan(limit * 1.6);
    const after = await storeOnFile();
    expect(after.log.head).toBe(300);
    expect(after.log.oldest).toBeGreaterThan(200);
    expect((await everythingIn(after)).at(-1)?.seq).toBe(300);
  });

  it("keeps counting where it was when no event is left", async () => {
    const store = await storeOnFile();
    await commit(store, [publication({}, { createdAt: 1_000 }).write]);
    await closed(store);
    tidy({ maxAgeMs: 1_000 });
    const after = await storeOnFile();
    expect(after.log).toMatchObject({ head: 1, oldest: 2 });
    await commit(after, [publication({}).write]);
    expect((await everythingIn(after)).map(({ seq }) => seq)).toEqual([2]);
  });
});

describe("compaction", () => {
  it("makes few large events of what runs have streamed, with the same text, offsets and order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ run: fc.constantFrom("x", "y", "z"), text: fc.string({ maxLength: 8 }) }), {
          maxLength: 60,
        }),
        (pieces) => {
          const offsets: Record<string, number> = {};
          const events = pieces.map(({ run, text }, index) => {
            const { event } = piece(run, offsets[run] ?? 0, text);
            offsets[run] = (offsets[run] ?? 0) + text.length;
            return { ...event, seq: index + 1 };
          });
          const compacted = compact(events);
          expect(compacted.length).toBeLessThanOrEqual(3);
          expect(compacted.map(({ seq }) => seq)).toEqual(compacted.map(({ seq }) => seq).sort((a, b) => a - b));
          expect(textsOf(compacted)).toEqual(textsOf(events));
          // Every seq is accounted for: a reader can tell merged events from hidden ones.
          const numbers = compacted.flatMap((event) => [event.seq, ...mergedSeqs(event)]).sort((a, b) => a - b);
          expect(numbers).toEqual(events.map(({ seq }) => seq));
          expect(compact(compacted)).toEqual(compacted);
        },
      ),
    );
  });

  it("loses no character for a reader who stops anywhere and goes on after it has been compacted", async () => {
    const store = await storeOnFile();
    for (let i = 0; i < 300; i++) await commit(store, [piece(i % 2 ? "x" : "y", Math.floor(i / 2) * 3, `${i % 10}ab`)]);
    const before = await everythingIn(store);
    await closed(store);
    tidy();
    const after = await storeOnFile();
    const compacted = await everythingIn(after);
    expect(compacted.length).toBeLessThan(10);
    for (const stop of [0, 1, 57, 150, 299, 300]) {
      const seen = before.filter(({ seq }) => seq <= stop);
      const rest = compacted.filter(({ seq }) => seq > stop);
      expect(textsOf([...seen, ...rest])).toEqual(textsOf(before));
    }
  });
});

describe("compaction of rows", () => {
  const oneCommit = fc.oneof(
    { weight: 3, arbitrary: fc.constant("small" as const) },
    { weight: 1, arbitrary: fc.constant("large" as const) },
    { weight: 1, arbitrary: fc.constantFrom("x" as const, "y" as const) },
  );

  async function commitAll(
    commits: readonly ("small" | "large" | "x" | "y")[],
  ): Promise<{ before: FlockEvent[]; rows: number }> {
    const store = await storeOnFile();
    const offsets = { x: 0, y: 0 };
    for (const what of commits) {
      if (what === "small") await commit(store, [publication({ n: 1 }).write]);
      else if (what === "large") await commit(store, [publication({ text: "ü".repeat(20_000) }).write]);
      else {
        await commit(store, [piece(what, offsets[what], "abc")]);
        offsets[what] += 3;
      }
    }
    const before = await everythingIn(store);
    await closed(store);
    tidy();
    const db = new DatabaseSync(path);
    const { rows } = db.prepare("SELECT count(*) AS rows FROM events").get() as { rows: number };
    db.close();
    return { before, rows };
  }

  it("changes only streams, for every sequence of rows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(oneCommit, { minLength: 1, maxLength: 200 }), async (commits) => {
        const { before } = await commitAll(commits);
        const after = await storeOnFile();
        const events = await everythingIn(after);
        const others = (all: FlockEvent[]) => all.filter(({ type }) => type !== "streaming_output");
        expect(others(events)).toEqual(others(before));
        expect(textsOf(events)).toEqual(textsOf(before));
        expect(events.at(-1)?.seq).toBe(before.at(-1)?.seq);
        await closed(after);
        for (const end of ["", "-wal", "-shm", "-lock"]) rmSync(path + end, { force: true });
      }),
      { numRuns: 25 },
    );
  });

  it("merges small ones and keeps large ones", async () => {
    const commits = Array.from({ length: 300 }, (_, i) => (i === 150 ? "large" : "small") as "large" | "small");
    expect((await commitAll(commits)).rows).toBe(3);
  });
});

describe("the log behind the tail", () => {
  it("gives every reader the same events as a plain list, from memory or the file", async () => {
    const store = await storeOnFile();
    const log = new EventLog(store.epoch, 1, store.log);
    const all: number[] = [];
    for (let i = 0; i < 3_000; i++) {
      const { write } = publication({ text: "y".repeat(i % 7 === 0 ? 2_000 : 10) }, { type: i % 5 ? "A" : "B" });
      const [sealed] = (await commit(store, [write])) as [SealedEvent];
      const { seq, json } = sealed;
      const facts = {
        type: write.event.type,
        agent: "external",
        artifactType: i % 5 ? "A" : "B",
        correlationId: "c",
        runId: undefined,
      };
      log.append([{ seq, json, facts }]);
      if (i % 5 === 0) all.push(seq);
    }
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3_000 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 100_000 }),
        async (from, filtered, bytes) => {
          const filter = filtered ? { artifact_types: ["B"] } : undefined;
          let events = 0;
          for (let at = from; at < log.head; ) {
            const batch = await log.read(at, log.head, filter, bytes);
            expect(batch.seq).toBeGreaterThan(at);
            events += batch.events;
            at = batch.seq;
          }
          expect(events).toBe(filtered ? all.filter((seq) => seq > from).length : 3_000 - from);
          const newest = await log.beforeNewest(Math.min(bytes, 500), log.head, filter);
          expect(filtered ? all.filter((seq) => seq > newest).length : log.head - newest).toBe(Math.min(bytes, 500));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("pages of artifacts", () => {
  it("contain every artifact once for every filter, and the total", async () => {
    const store = await storeOnFile();
    for (let i = 0; i < 90; i++)
      await commit(store, [publication({ i }, { type: i % 2 ? "A" : "B", tags: i % 3 ? ["t"] : [] }).write]);
    for (const query of [{}, { types: ["A"] }, { tags: ["t"] }, { types: ["A", "B"], correlationId: "c1" }]) {
      const found: number[] = [];
      let total = 0;
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await store.blackboard.query({ ...query, limit: 7, cursor }, OWNER);
        found.push(...page.artifacts.map(({ seq }) => seq));
        total = page.total;
        cursor = page.nextCursor;
      }
      expect(found).toEqual([...new Set(found)].sort((a, b) => b - a));
      expect(found).toHaveLength(total);
    }
    await expect(store.blackboard.query({ cursor: "nonsense" }, OWNER)).rejects.toThrow(/Invalid `cursor`/);
  });
});

describe("a backup", () => {
  it("is a complete, separate blackboard, made while work continues", async () => {
    const store = await storeOnFile();
    await commit(store, [publication({ n: 1 }).write]);
    const copy = join(folder, "copy.db");
    await store.backup(copy);
    await commit(store, [publication({ n: 2 }).write]);
    expect(existsSync(copy)).toBe(true);
    copyFileSync(copy, join(folder, "restored.db"));
    const restored = await openFileAt(join(folder, "restored.db"));
    open.push(restored);
    expect((await restored.blackboard.query({}, OWNER)).artifacts.map(({ payload }) => payload)).toEqual([{ n: 1 }]);
  });

  it("is another log: numbers that clients know from the original mean other events there", async () => {
    const store = await storeOnFile();
    await commit(store, [publication({ n: 1 }).write]);
    const copy = join(folder, "copy.db");
    await store.backup(copy);
    const restored = await openFileAt(copy);
    open.push(restored);
    expect(restored.epoch).not.toBe(store.epoch);
    expect(restored.log.head).toBe(store.log.head);
  });
});

function textsOf(events: readonly FlockEvent[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const event of events) {
    if (event.type !== "streaming_output") continue;
    const before = texts[event.run_id] ?? "";
    expect(event.offset).toBeLessThanOrEqual(before.length);
    texts[event.run_id] = before + event.content.slice(before.length - event.offset);
  }
  return texts;
}
