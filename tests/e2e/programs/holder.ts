// Opens a blackboard file and keeps it open, or prints why it cannot. With "unprivileged" as the second argument, it runs
// as a user whom file permissions restrict, unlike root.
import { FlockError } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { systemClock } from "../../../packages/flock/src/core/clock.ts";

const [file = "", as] = process.argv.slice(2);
/** User id of `nobody` on Debian and most other systems. */
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
