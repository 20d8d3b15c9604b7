// Runs the housekeeping of a closed blackboard in minimal steps and kills itself before the given SQL statement.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { systemClock } from "../../../packages/flock/src/core/clock.ts";
import { Housekeeping } from "../../../packages/flock/src/store/sqlite/housekeeping.ts";
import { openFile } from "../../../packages/flock/src/store/sqlite/open.ts";

const [path = "", maxBytes = "", lastStatement = ""] = process.argv.slice(2);
let left = Number(lastStatement);

/** Returns a proxy that counts calls of some methods as statements. */
function counted<T extends DatabaseSync | StatementSync>(target: T, statements: readonly string[]): T {
  return new Proxy(target, {
    get(_, name: string) {
      const value = target[name as keyof T];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (statements.includes(name) && --left <= 0) process.kill(process.pid, "SIGKILL");
        const result = value.apply(target, args);
        return name === "prepare" ? counted(result, ["run", "all", "get", "iterate"]) : result;
      };
    },
  });
}

const { db, close } = openFile(path);
const housekeeping = new Housekeeping(
  counted(db, ["exec"]),
  { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number(maxBytes) },
  systemClock,
  {
    compaction: { characters: 4_000, rows: 30, leastRows: 10 },
    rowCharacters: 1_500,
    dropArtifacts: 2,
    vacuumPages: 2,
  },
);
while (housekeeping.step());
close();
console.log(`done with ${left} to go`);
