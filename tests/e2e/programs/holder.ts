// Opens a blackboard file and holds it, or says why it cannot. "unprivileged" as the second argument: as a user whom
// permissions bind; root is not.
import { FlockError } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { systemClock } from "../../../packages/flock/src/core/clock.ts";

const [file = "", as] = process.argv.slice(2);
/** Nobody, on Debian and most other systems. */
const NOBODY = 65_534;
if (as === "unprivileged" && process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
try {
  await sqliteStore(file).open({ clock: systemClock });
  console.log("holds it");
  setInterval(() => {}, 60_000);
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
