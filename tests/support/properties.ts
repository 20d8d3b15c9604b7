// Configures fast-check for every test file. Vitest loads it (`setupFiles`).
import fc from "fast-check";
import { strength } from "./strength.ts";

fc.configureGlobal({
  // vitest.config.ts chooses and prints the seed.
  seed: Number(process.env.FLOCK_TEST_SEED),
  numRuns: strength({ short: 100, soak: 1_000 }),
  // The short form ends a property after this time, in ms, also where the property asks for more runs.
  ...strength({ short: { interruptAfterTimeLimit: 4_000 }, soak: {} }),
});
