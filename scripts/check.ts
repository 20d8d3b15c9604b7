// Format, lint, types, and which room may import which (.dependency-cruiser.cjs).
import { runAll } from "./run.ts";

const ok = await runAll([
  { name: "format and lint", command: ["biome", "ci", "--colors=off", "."] },
  { name: "types", command: ["tsc", "--noEmit", "--pretty", "false"] },
  { name: "rooms", command: ["depcruise", "--config", ".dependency-cruiser.cjs", "packages", "examples", "bench"] },
]);
process.exit(ok ? 0 : 1);
