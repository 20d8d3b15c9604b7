// The cost of a file without Flock: `node:sqlite` with prepared statements.
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../packages/flock/src/store/sqlite/schema.ts";
import { answerWith, GROUP, inGroups, type Program, ROWS_PER_ARTIFACT, TEXT } from "./program.ts";

answerWith({ "bare table": inserting(bareTable), "same rows": inserting(sameRows) });

/** @param prepare creates the tables and returns a function that writes a group. */
function inserting(prepare: (db: DatabaseSync) => () => void): Program {
  return (_, file) => {
    const db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    return inGroups(GROUP, prepare(db));
  };
}

/** Writes as many rows as Flock, into one table without an index. */
function bareTable(db: DatabaseSync): () => void {
  db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)");
  const insert = db.prepare("INSERT INTO rows (text) VALUES (?)");
  return () => {
    db.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < GROUP * ROWS_PER_ARTIFACT; i++) insert.run(TEXT);
    db.exec("COMMIT");
  };
}

/** Writes Flock's rows with their columns and indexes, in two commits per group like Flock. */
function sameRows(db: DatabaseSync): () => void {
  // The settings of Flock's file (packages/flock/src/store/sqlite/open.ts).
  db.exec("PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000");
  migrate(db, 0);
  const events = db.prepare(
    "INSERT INTO events (last_seq, first_seq, newest_at, merged, lines) VALUES (?, ?, ?, 0, ?)",
  );
  const artifact = db.prepare(
    `INSERT INTO artifacts (seq, id, type, produced_by, run_id, correlation_id, tags, visibility, created_at, payload,
     idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const consumption = db.prepare(
    "INSERT INTO consumptions (artifact_seq, run_id, agent_id, consumed_at) VALUES (?, ?, ?, ?)",
  );
  const queued = db.prepare(
    `INSERT INTO activations (number, id, run_id, agent_id, correlation_id, attempt, artifacts, after_seq, queued_at, gate)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const ended = db.prepare("UPDATE activations SET status = ?, ended_at = ? WHERE number = ?");
  // Lines have the length of Flock's events, many per row; SQLite does not parse their content.
  const published = lines(GROUP * EVENT_CHARACTERS.published);
  const ran = lines(GROUP * (EVENT_CHARACTERS.started + EVENT_CHARACTERS.published + EVENT_CHARACTERS.completed));
  const payload = JSON.stringify({ text: TEXT });
  let seq = 0;
  let number = 0;
  const write = (type: string, by: string, run: string | null, workflow: string, now: number) =>
    artifact.run(++seq, randomUUID(), type, by, run, workflow, "[]", '{"kind":"public"}', now, payload, null);
  return () => {
    const now = Date.now();
    const runs = Array.from({ length: GROUP }, () => ({ id: randomUUID(), workflow: randomUUID(), seq: 0, number: 0 }));
    db.exec("BEGIN IMMEDIATE");
    const first = seq + 1;
    for (const run of runs) {
      write("In", "external", null, run.workflow, now);
      run.seq = seq;
      run.number = ++number;
      queued.run(number, run.id, run.id, "echo", run.workflow, 1, `[${seq}]`, seq, now, "0");
    }
    events.run(seq, first, now, published);
    db.exec("COMMIT");
    db.exec("BEGIN IMMEDIATE");
    const next = seq + 1;
    for (const run of runs) {
      seq += 1;
      consumption.run(run.seq, run.id, "echo", now);
      write("Out", "echo", run.id, run.workflow, now);
      seq += 1;
      ended.run("success", now, run.number);
    }
    events.run(seq, next, now, ran);
    db.exec("COMMIT");
  };
}

/** Measured length of each event's JSON with a payload of `TEXT`. */
const EVENT_CHARACTERS = { published: 497, started: 335, completed: 352 };

function lines(characters: number): string {
  return "x".repeat(characters);
}
