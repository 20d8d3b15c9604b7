import { DatabaseSync } from "node:sqlite";
import { Housekeeping, type Retention } from "../../packages/flock/src/store/sqlite/housekeeping.ts";

/** Runs all pending compaction and retention of a closed database now. An open store does it step by step, with rests. */
export function keepHouse(path: string, retention: Retention = {}): void {
  const { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = retention;
  const db = new DatabaseSync(path);
  try {
    const housekeeping = new Housekeeping(db, { maxAgeMs, maxBytes });
    while (housekeeping.step());
  } finally {
    db.close();
  }
}
