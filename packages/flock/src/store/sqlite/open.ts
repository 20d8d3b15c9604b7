import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FlockError } from "../../core/errors.ts";
import { isBusy } from "./busy.ts";
import { readError } from "./errors.ts";
import { APPLICATION_ID, MIGRATIONS, migrate } from "./schema.ts";

/** What survives a loss of power: see {@link SqliteStoreOptions.durability}. */
export type Durability = "normal" | "full";

/** A file that is open and locked for this process. */
export interface OpenFile {
  readonly db: DatabaseSync;
  /** Closes the file and releases the lock. */
  close(): void;
}

/**
 * Opens a database file, or creates it, with its folder. Throws SQLite's own error when another program holds the file for
 * a moment.
 * @throws FlockError `store_unusable`. A file that cannot be used is left as it is.
 */
export function openFile(path: string): OpenFile {
  let lock: DatabaseSync | undefined;
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A lock file that is read-only locks nothing, and SQLite does not report that.
    for (const file of [path, `${path}-lock`]) if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    lock = takeLock(path);
    db = new DatabaseSync(path);
    const version = checkFile(db, path);
    // Has to come before the first table. Pages that retention frees can then be given back a few at a time.
    if (version === 0) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(`
      PRAGMA busy_timeout = 0;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -16000;
      PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA wal_autocheckpoint = 0;
    `);
    migrate(db, version);
  } catch (error) {
    db?.close();
    lock?.close();
    // The caller tries again.
    throw isBusy(error) ? error : readError(error, path);
  }
  const [opened, held] = [db, lock];
  LOCKS.add(held);
  return {
    db: opened,
    close() {
      opened.close();
      held.close();
      LOCKS.delete(held);
    },
  };
}

/** The locks that this process holds: the next garbage collection would release a lock without a reference. */
const LOCKS = new Set<DatabaseSync>();

/**
 * Two processes that both number events would break every cursor. The lock is a separate database, so that the
 * blackboard stays open to readers such as the sqlite3 shell and backups. The system releases it when the process dies.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}-lock`);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new FlockError(
      "store_unusable",
      `Cannot open \`${path}\`: another process uses it. End that process, or use another file.`,
      { cause: error },
    );
  }
}

/** Returns the file's schema version; 0 for an empty file. */
function checkFile(db: DatabaseSync, path: string): number {
  const read = (pragma: string) => Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number;
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number };
  if (tables.n === 0) return 0;
  if (read("application_id") !== APPLICATION_ID) {
    throw new FlockError(
      "store_unusable",
      `Cannot open \`${path}\`: it is a SQLite database of another program. Use another file.`,
    );
  }
  const version = read("user_version");
  if (version > MIGRATIONS.length) {
    throw new FlockError(
      "store_unusable",
      `Cannot open \`${path}\`: a newer version of Flock wrote it (schema ${version}; this version knows ${MIGRATIONS.length}). Update Flock, or use another file.`,
    );
  }
  return version;
}
