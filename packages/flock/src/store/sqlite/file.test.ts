import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { FlockEvent } from "@flock/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredArtifact } from "../../blackboard/stored-artifact.ts";
import { compact } from "../../events/compaction.ts";
import { EventLog } from "../../events/event-log.ts";
import { eventWrite } from "../event-write.ts";
import { Housekeeping } from "./housekeeping.ts";
import { openFile } from "./open.ts";
import { type SqliteStore, sqliteStore } from "./sqlite.ts";

let folder = "";
let path = "";
const open: SqliteStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-file-"));
  path = join(folder, "flock.db");
});

afterEach(() => {
  for (const store of open.splice(0)) void store.close();
  rmSync(folder, { recursive: true, force: true });
});

function storeOnFile(options?: Parameters<typeof sqliteStore>[1]): SqliteStore {
  const store = sqliteStore(path, options);
  open.push(store);
  return store;
}

function closed(store: SqliteStore): void {
  void store.close();
  open.splice(open.indexOf(store), 1);
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
    { artifact, json: JSON.stringify(payload), inline: true },
  );
  write.event.timestamp = artifact.createdAt;
  return { artifact, write };
}

function piece(run: string, offset: number, content: string) {
  return eventWrite({
    type: "streaming_output",
    agent_id: "writer",
    run_id: run,
    correlation_id: "c",
    content,
    is_complete: false,
    offset,
    output_type: "text",
  });
}

function everythingIn(store: SqliteStore): FlockEvent[] {
  const { log } = store.durable;
  const events: FlockEvent[] = [];
  for (let seq = log.oldest; seq <= log.head; ) {
    const { lines, last } = log.read(seq, log.head);
    events.push(...lines.split("\n").map((line) => JSON.parse(line)));
    seq = last + 1;
  }
  return events;
}

/** Housekeeping by hand, on a file whose store is closed. */
function tidy(retention: { maxAgeMs?: number; maxBytes?: number } = {}): void {
  const file = openFile(path, "normal");
  const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
  const housekeeping = new Housekeeping(file.db, { ...everything, ...retention });
  for (let steps = 0; housekeeping.step(); steps++) expect(steps).toBeLessThan(10_000);
  file.close();
}

describe("a file that cannot be used is left as it is, and the error says what to do", () => {
  it("when another process has it", () => {
    storeOnFile();
    expect(() => sqliteStore(path)).toThrow(/in use by another process.*End the other one/);
  });

  it("when it is no database, or another program's", () => {
    writeFileSync(path, "These are notes, and no database at all. ".repeat(50));
    const before = readFileSync(path);
    expect(() => sqliteStore(path)).toThrow(/is not a SQLite database/);
    expect(readFileSync(path)).toEqual(before);
    rmSync(path);
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE notes (text TEXT)");
    other.close();
    expect(() => sqliteStore(path)).toThrow(/of another program/);
  });

  it("when a newer version has written it", () => {
    closed(storeOnFile());
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(() => sqliteStore(path)).toThrow(/newer version of Flock \(schema 99.*update Flock/);
  });

  it("when it is damaged", () => {
    const store = storeOnFile();
    for (let i = 0; i < 200; i++) store.commit([publication({ text: "x".repeat(2_000) }).write]);
    closed(store);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 7)]));
    expect(() => sqliteStore(path)).toThrow(/damaged.*backup/);
  });

  it("when its place is a folder", () => {
    expect(() => sqliteStore(folder)).toThrow(/cannot be opened/);
  });
});

describe("a disk that is full", () => {
  it("refuses the whole commit with what to do, and goes on with the same seq when there is room", () => {
    // SQLite reports the end of the disk and the end of what a file may be alike.
    const store = storeOnFile({ maxFileBytes: 400_000 });
    store.commit([publication({ text: "small" }).write]);
    const big = () => publication({ text: "x".repeat(300_000) }).write;
    expect(() => store.commit([publication({ text: "with it" }).write, big(), big()])).toThrow(
      /nothing was written.*is full.*make room/,
    );
    const { write } = publication({ text: "next" });
    store.commit([write]);
    expect(write.event.seq).toBe(2);
    expect(everythingIn(store).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe("retention", () => {
  it("by age drops old events and artifacts, but nothing that a queued run or a gate needs", async () => {
    const store = storeOnFile();
    const old = Date.now() - 3_600_000;
    const [queued, gathered, gone, young] = [
      publication({ n: 1 }, { createdAt: old }),
      publication({ n: 2 }, { createdAt: old }),
      publication({ n: 3 }, { createdAt: old, tags: ["t"] }),
      publication({ n: 4 }),
    ];
    store.commit([
      queued.write,
      {
        kind: "activation",
        id: "run",
        runId: "run",
        agentId: "a",
        correlationId: "c",
        attempt: 1,
        artifacts: [queued.artifact],
      },
      gathered.write,
      { kind: "gathered", agentId: "a", gate: "0", key: undefined, artifact: gathered.artifact },
      gone.write,
      {
        kind: "consumption",
        agentId: "a",
        runId: "r",
        consumedAt: new Date(old).toISOString(),
        artifacts: [gone.artifact],
      },
    ]);
    store.commit([young.write]);
    closed(store);
    tidy({ maxAgeMs: 60_000 });
    const after = storeOnFile();
    expect((await after.query()).artifacts.map(({ payload }) => payload)).toEqual([{ n: 4 }, { n: 2 }, { n: 1 }]);
    expect(everythingIn(after).map(({ seq }) => seq)).toEqual([4]);
    expect(after.durable.unfinished()[0]?.artifacts[0]?.payload).toEqual({ n: 1 });
    expect(after.durable.gathered()[0]?.artifact.payload).toEqual({ n: 2 });
    expect(await after.consumptionsOf([gone.artifact.id])).toEqual(new Map([[gone.artifact.id, []]]));
  });

  it("by size drops the oldest until the file is small enough, and gives the space back", () => {
    const store = storeOnFile();
    for (let i = 0; i < 300; i++) store.commit([publication({ text: "x".repeat(20_000) }).write]);
    closed(store);
    const limit = 2_000_000;
    tidy({ maxBytes: limit });
    const db = new DatabaseSync(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    expect(readFileSync(path).length).toBeLessThan(limit * 1.6);
    const after = storeOnFile();
    expect(after.durable.log.head).toBe(300);
    expect(after.durable.log.oldest).toBeGreaterThan(200);
    expect(everythingIn(after).at(-1)?.seq).toBe(300);
  });

  it("keeps counting where it was when no event is left", () => {
    const store = storeOnFile();
    store.commit([publication({}, { createdAt: 1_000 }).write]);
    closed(store);
    tidy({ maxAgeMs: 1_000 });
    const after = storeOnFile();
    expect(after.durable.log).toMatchObject({ head: 1, oldest: 2 });
    after.commit([publication({}).write]);
    expect(everythingIn(after).map(({ seq }) => seq)).toEqual([2]);
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
        },
      ),
    );
  });

  it("loses no character for a reader who stops anywhere and goes on after it has been compacted", () => {
    const store = storeOnFile();
    for (let i = 0; i < 300; i++) store.commit([piece(i % 2 ? "x" : "y", Math.floor(i / 2) * 3, `${i % 10}ab`)]);
    const before = everythingIn(store);
    closed(store);
    tidy();
    const after = storeOnFile();
    const compacted = everythingIn(after);
    expect(compacted.length).toBeLessThan(10);
    for (const stop of [0, 1, 57, 150, 299, 300]) {
      const seen = before.filter(({ seq }) => seq <= stop);
      const rest = compacted.filter(({ seq }) => seq > stop);
      expect(textsOf([...seen, ...rest])).toEqual(textsOf(before));
    }
  });
});

describe("compaction of rows", () => {
  const commit = fc.oneof(
    { weight: 3, arbitrary: fc.constant("small" as const) },
    { weight: 1, arbitrary: fc.constant("large" as const) },
    { weight: 1, arbitrary: fc.constantFrom("x" as const, "y" as const) },
  );

  function commitAll(commits: readonly ("small" | "large" | "x" | "y")[]): { before: FlockEvent[]; rows: number } {
    const store = storeOnFile();
    const offsets = { x: 0, y: 0 };
    for (const what of commits) {
      if (what === "small") store.commit([publication({ n: 1 }).write]);
      else if (what === "large") store.commit([publication({ text: "ü".repeat(20_000) }).write]);
      else {
        store.commit([piece(what, offsets[what], "abc")]);
        offsets[what] += 3;
      }
    }
    const before = everythingIn(store);
    closed(store);
    tidy();
    const db = new DatabaseSync(path);
    const { rows } = db.prepare("SELECT count(*) AS rows FROM events").get() as { rows: number };
    db.close();
    return { before, rows };
  }

  it("changes nothing but streams, whatever rows stand beside each other", () => {
    fc.assert(
      fc.property(fc.array(commit, { minLength: 1, maxLength: 200 }), (commits) => {
        const { before } = commitAll(commits);
        const after = storeOnFile();
        const events = everythingIn(after);
        const others = (all: FlockEvent[]) => all.filter(({ type }) => type !== "streaming_output");
        expect(others(events)).toEqual(others(before));
        expect(textsOf(events)).toEqual(textsOf(before));
        expect(events.at(-1)?.seq).toBe(before.at(-1)?.seq);
        closed(after);
        for (const end of ["", "-wal", "-shm", "-lock"]) rmSync(path + end, { force: true });
      }),
      { numRuns: 25 },
    );
  });

  it("puts small ones together and lets large ones stand", () => {
    const commits = Array.from({ length: 300 }, (_, i) => (i === 150 ? "large" : "small") as "large" | "small");
    expect(commitAll(commits).rows).toBe(3);
  });
});

describe("the log behind the tail", () => {
  it("gives any reader what a plain list of the events gives, whatever of it memory still holds", () => {
    const store = storeOnFile();
    const log = new EventLog(store.epoch, 1, store.durable.log);
    const all: number[] = [];
    for (let i = 0; i < 3_000; i++) {
      const { write } = publication({ text: "y".repeat(i % 7 === 0 ? 2_000 : 10) }, { type: i % 5 ? "A" : "B" });
      store.commit([write]);
      const { seq } = write.event;
      const facts = {
        type: write.event.type,
        agent: "external",
        artifactType: i % 5 ? "A" : "B",
        correlationId: "c",
        runId: undefined,
      };
      log.append([{ seq, json: write.json, facts }]);
      if (i % 5 === 0) all.push(seq);
    }
    fc.assert(
      fc.property(
        fc.nat({ max: 3_000 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 100_000 }),
        (from, filtered, bytes) => {
          const filter = filtered ? { artifact_types: ["B"] } : undefined;
          let events = 0;
          for (let at = from; at < log.head; ) {
            const batch = log.read(at, log.head, filter, bytes);
            if (batch instanceof Promise) throw new Error("a file is read at once");
            expect(batch.seq).toBeGreaterThan(at);
            events += batch.events;
            at = batch.seq;
          }
          expect(events).toBe(filtered ? all.filter((seq) => seq > from).length : 3_000 - from);
          const newest = log.beforeNewest(Math.min(bytes, 500), log.head, filter);
          expect(filtered ? all.filter((seq) => seq > newest).length : log.head - newest).toBe(Math.min(bytes, 500));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("pages of artifacts", () => {
  it("meet every artifact once, whatever is asked for, and know the whole number", async () => {
    const store = storeOnFile();
    for (let i = 0; i < 90; i++)
      store.commit([publication({ i }, { type: i % 2 ? "A" : "B", tags: i % 3 ? ["t"] : [] }).write]);
    for (const query of [{}, { types: ["A"] }, { tags: ["t"] }, { types: ["A", "B"], correlationId: "c1" }]) {
      const found: number[] = [];
      let total = 0;
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await store.query({ ...query, limit: 7, cursor });
        found.push(...page.artifacts.map(({ seq }) => seq));
        total = page.total;
        cursor = page.nextCursor;
      }
      expect(found).toEqual([...new Set(found)].sort((a, b) => b - a));
      expect(found).toHaveLength(total);
    }
    await expect(store.query({ cursor: "nonsense" })).rejects.toThrow(/is not a cursor/);
  });
});

describe("a backup", () => {
  it("is a whole blackboard of its own, made while work goes on", async () => {
    const store = storeOnFile();
    store.commit([publication({ n: 1 }).write]);
    const copy = join(folder, "copy.db");
    await store.backup(copy);
    store.commit([publication({ n: 2 }).write]);
    expect(existsSync(copy)).toBe(true);
    copyFileSync(copy, join(folder, "restored.db"));
    const restored = sqliteStore(join(folder, "restored.db"));
    open.push(restored);
    expect((await restored.query()).artifacts.map(({ payload }) => payload)).toEqual([{ n: 1 }]);
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
