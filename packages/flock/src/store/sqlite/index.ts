/** The blackboard in one SQLite file: `import { sqliteStore } from "flock-ts/stores/sqlite"`. */
import "../../core/node-version.ts";

export type { Retention } from "./housekeeping.ts";
export type { Durability } from "./open.ts";
export { type SqliteStore, type SqliteStoreOptions, sqliteStore } from "./store.ts";
