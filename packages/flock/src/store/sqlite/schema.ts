import type { DatabaseSync } from "node:sqlite";

/** Marks a SQLite file as Flock's: "Flok" in ASCII (see `PRAGMA application_id`). */
export const APPLICATION_ID = 0x466c6f6b;

/**
 * What each schema version adds to the one before; a file's version is its `user_version`. An entry never changes once
 * it has been released: a file somewhere was made by it.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row: which log this is, and how the last process left it.
  CREATE TABLE log (
    epoch TEXT NOT NULL, head INTEGER NOT NULL, compacted INTEGER NOT NULL,
    is_open INTEGER NOT NULL, booted_at INTEGER NOT NULL
  ) STRICT;
  -- Events in order, many to a row: one JSON line each. Rows never overlap.
  CREATE TABLE events (
    last_seq INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, newest_at INTEGER NOT NULL,
    merged INTEGER NOT NULL, lines TEXT NOT NULL
  ) STRICT;
  CREATE TABLE artifacts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, produced_by TEXT NOT NULL, run_id TEXT,
    correlation_id TEXT NOT NULL, tags TEXT NOT NULL, visibility TEXT NOT NULL, created_at INTEGER NOT NULL,
    idempotency_key TEXT, payload TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX artifacts_by_id ON artifacts (id);
  CREATE INDEX artifacts_by_type ON artifacts (type);
  CREATE INDEX artifacts_by_producer ON artifacts (produced_by);
  CREATE INDEX artifacts_by_correlation ON artifacts (correlation_id);
  CREATE INDEX artifacts_by_time ON artifacts (created_at);
  CREATE UNIQUE INDEX artifacts_by_key ON artifacts (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE artifact_tags (
    tag TEXT NOT NULL, artifact_seq INTEGER NOT NULL, PRIMARY KEY (tag, artifact_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE consumptions (
    artifact_seq INTEGER NOT NULL, run_id TEXT NOT NULL, agent_id TEXT NOT NULL, consumed_at INTEGER NOT NULL,
    PRIMARY KEY (artifact_seq, run_id)
  ) STRICT, WITHOUT ROWID;
  -- A run that is queued or goes on has no status. Its artifacts are a JSON list of seqs.
  CREATE TABLE activations (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, run_id TEXT NOT NULL, agent_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL, attempt INTEGER NOT NULL, artifacts TEXT NOT NULL, after_seq INTEGER NOT NULL,
    queued_at INTEGER NOT NULL, ended_at INTEGER, status TEXT
  ) STRICT;
  CREATE INDEX activations_by_correlation ON activations (correlation_id);
  CREATE INDEX activations_open ON activations (number) WHERE status IS NULL;
  -- What the gates have gathered and not used yet.
  CREATE TABLE gathered (
    artifact_seq INTEGER NOT NULL, agent_id TEXT NOT NULL, gate TEXT NOT NULL, key TEXT,
    PRIMARY KEY (agent_id, gate, artifact_seq)
  ) STRICT, WITHOUT ROWID;
  -- The fold of the events up to seq, so that a start need not read them all.
  CREATE TABLE snapshot (seq INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
  `,
  `
  -- Which gate was filled: two of one agent may give its function the same artifacts in different ways.
  ALTER TABLE activations ADD COLUMN gate TEXT;
  -- Its position in its gate, and which group of the gate's batch it belongs to.
  ALTER TABLE gathered ADD COLUMN position INTEGER;
  ALTER TABLE gathered ADD COLUMN group_number INTEGER;
  -- How many artifacts a gate has taken in, where windows are counted in artifacts.
  CREATE TABLE gates (
    agent_id TEXT NOT NULL, gate TEXT NOT NULL, taken INTEGER NOT NULL, PRIMARY KEY (agent_id, gate)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Who may see a run and that it has consumed something, as JSON; null: all.
  ALTER TABLE activations ADD COLUMN visibility TEXT;
  ALTER TABLE consumptions ADD COLUMN visibility TEXT;
  -- Artifacts that wait for the time from which others than the owner may see them, in ms.
  CREATE TABLE hidden (artifact_seq INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  `,
  `
  -- How many attempts have failed so far, and from when on the next one may begin, in ms; null: at once.
  ALTER TABLE activations ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE activations ADD COLUMN retry_at INTEGER;
  -- Why it is a dead letter, as JSON; null: it is none.
  ALTER TABLE activations ADD COLUMN error TEXT;
  CREATE INDEX activations_by_failure ON activations (id, number) WHERE error IS NOT NULL;
  `,
  `
  -- What runs have asked people; no status while it is open.
  CREATE TABLE questions (
    artifact_seq INTEGER PRIMARY KEY, activation_id TEXT NOT NULL, key TEXT NOT NULL,
    status TEXT, closed_at INTEGER, answered_by TEXT, answer_seq INTEGER
  ) STRICT;
  CREATE INDEX questions_by_activation ON questions (activation_id);
  `,
  `
  -- The state of the schedules of agents; times in ms.
  CREATE TABLE schedules (
    agent_id TEXT NOT NULL, schedule TEXT NOT NULL, origin INTEGER NOT NULL, seen INTEGER NOT NULL,
    count INTEGER NOT NULL, missed INTEGER NOT NULL, PRIMARY KEY (agent_id, schedule)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- How many attempts ended because the process crashed.
  ALTER TABLE activations ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- The number of runs in the chain that led to it; 0: it came from outside.
  ALTER TABLE artifacts ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
  `,
];

/** Brings a file of an older version (0: an empty one) up to the newest, all or nothing. */
export function migrate(db: DatabaseSync, from: number, migrations: readonly string[] = MIGRATIONS): void {
  if (from === migrations.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const step of migrations.slice(from)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
