import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isBusy, retryWhileBusy } from "./busy.ts";
import { readError } from "./errors.ts";

/** Values that a statement binds. */
export type Value = string | number | null;

/** The connection of the event loop: its prepared statements, and reads that wait without blocking. */
export class Connection {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly #statements = new Map<string, StatementSync>();
  /** Settles when what was committed last is on disk; undefined when nothing is being flushed. */
  flushing: Promise<void> | undefined;

  constructor(db: DatabaseSync, path: string) {
    this.db = db;
    this.path = path;
  }

  /**
   * Runs a query when the file is free. What it returns has reached the disk as far as the durability promises.
   * @throws FlockError `store_unusable` when the file cannot be read.
   */
  async read<T>(query: () => T): Promise<T> {
    let result: T;
    try {
      result = query();
    } catch (error) {
      // A statement that has failed half-way reports that again when it is next used, wherever that reads.
      this.#statements.clear();
      if (!isBusy(error)) throw readError(error, this.path);
      result = await retryWhileBusy(query).catch((last) => {
        throw readError(last, this.path);
      });
    }
    // Until it is flushed, a loss of power can undo what was read.
    if (this.flushing) await this.flushing;
    return result;
  }

  number(sql: string, ...values: Value[]): number {
    return Object.values(this.prepare(sql).get(...values) ?? {})[0] as number;
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.prepare(sql).all(...values) as Row[];
  }

  run(sql: string, ...values: Value[]): void {
    this.prepare(sql).run(...values);
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }
}
