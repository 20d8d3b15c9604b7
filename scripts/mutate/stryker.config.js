// npm run mutate                                                  everything below, which takes hours on two cores
// npm run mutate -- --mutate packages/protocol/src/access/principal.ts   one file
//
// FLOCK_MUTATE_TESTS is a glob of the test files to use, for a quick look. Default: every unit test.
//
// Commit first: Stryker changes the sources in place and restores them when it ends. In a copy, imports of
// @flock-ts/protocol would resolve to the original.
const sources = (globs) => [...globs, "!**/*.test.ts", "!**/*.test-d.ts"];

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "scripts/mutate/vitest.config.ts", related: true },
  inPlace: true,
  mutate: sources([
    // Access decisions.
    "packages/protocol/src/access/**/*.ts",
    "packages/flock/src/blackboard/{by-visibility,visibility}.ts",
    "packages/flock/src/store/visible-store.ts",
    "packages/flock/src/store/sqlite/may-see.ts",
    // Gates, log, delivery, folds, stores.
    "packages/flock/src/runtime/gates/**/*.ts",
    "packages/{flock,protocol}/src/log/**/*.ts",
    "packages/flock/src/delivery/**/*.ts",
    "packages/protocol/src/state/**/*.ts",
    "packages/flock/src/store/**/*.ts",
  ]),
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 20_000,
  tempDirName: ".cache/stryker",
  cleanTempDir: "always",
  reporters: ["clear-text", "html"],
  htmlReporter: { fileName: ".cache/mutation.html" },
  clearTextReporter: { allowColor: false, reportTests: false },
  thresholds: { high: 92, low: 85, break: null },
};
