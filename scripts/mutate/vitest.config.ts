import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

process.env.FLOCK_LOG_LEVEL ??= "silent";
// A mutant must fail for its change, not for another choice of values.
process.env.FLOCK_TEST_SEED ??= "1";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default defineConfig({
  root,
  test: {
    include: [process.env.FLOCK_MUTATE_TESTS ?? "packages/{protocol,client,flock}/src/**/*.test.ts"],
    // Without `patience.ts`: mutants are found by tests that wait in vain.
    setupFiles: `${root}tests/support/properties.ts`,
    testTimeout: 20_000,
  },
});
