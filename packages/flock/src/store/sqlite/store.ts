import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { OpenOptions, Store, StoreSession } from "../store.ts";
import type { Retention } from "./housekeeping.ts";
import type { Durability } from "./open.ts";
import type { SqliteSession } from "./session.ts";

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * What survives. `normal` (default): everything when the process dies in any way. When the machine loses power, the
   * newest moments may be lost, and the file is intact. `full`: everything in that case as well, for one flush of the disk
   * per group commit.
   */
  readonly durability?: Durability;
  /** What is dropped, oldest first: see {@link Retention}. Default: nothing. */
  readonly retention?: Retention;
  /** The most bytes that the file may have. Writes that do not fit are refused. Default: no limit. */
  readonly maxFileBytes?: number;
}

/** A blackboard in a SQLite file. */
export interface SqliteStore extends Store {
  /** The path of the file. */
  readonly path: string;
  /**
   * Copies the open blackboard into another file while work continues. Resolves when the copy is complete. The copy is
   * a separate log, with another epoch: clients of the original receive a `gap` from it.
   * @throws FlockError `store_unusable` when the blackboard is not open.
   */
  backup(path: string): Promise<void>;
}

const optionsSchema = z.strictObject({
  durability: z.enum(["normal", "full"]).default("normal"),
  retention: z
    .strictObject({
      maxAgeMs: z.number().positive().default(Number.POSITIVE_INFINITY),
      maxBytes: z.number().positive().default(Number.POSITIVE_INFINITY),
    })
    .prefault({}),
  maxFileBytes: z.int().positive().optional(),
});

/**
 * Describes a blackboard in one SQLite file. `Flock.open` opens the file, or creates it with its folder. One process can
 * have it open at a time.
 *
 * Opening rejects with a FlockError `store_unusable` when the file is newer than this version, damaged, read-only, in use
 * or of another program. The file is then left as it is.
 *
 * @example
 * const flock = await Flock.open({ store: sqliteStore("flock.db", { retention: { maxAgeMs: 7 * 24 * 3_600_000 } }) });
 *
 * @throws FlockError `invalid_options`, naming each wrong option.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): SqliteStore {
  return new SqliteFile(path, checkOptions("sqliteStore", optionsSchema, options));
}

class SqliteFile implements SqliteStore {
  readonly path: string;
  readonly #options: z.output<typeof optionsSchema>;
  #session: SqliteSession | undefined;

  constructor(path: string, options: z.output<typeof optionsSchema>) {
    this.path = path;
    this.#options = options;
  }

  async open({ clock, signal }: OpenOptions): Promise<StoreSession> {
    // Loaded late, because an old Node has no `node:sqlite` and would fail before its version is checked.
    const { SqliteSession } = await import("./session.ts");
    this.#session = await SqliteSession.open(this.path, { ...this.#options, clock, signal });
    return this.#session;
  }

  async backup(path: string): Promise<void> {
    if (!this.#session)
      throw new FlockError("store_unusable", `${this.path} is not open: open it with \`await Flock.open({ store })\`.`);
    await this.#session.backup(path);
  }
}
