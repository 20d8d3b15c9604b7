// npm run mutate                                                  everything below, which takes hours on two cores
// npm run mutate -- --mutate packages/protocol/src/principal.ts   one file
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
    "packages/protocol/src/**/{principal,visibility,may-see}*.ts",
    "packages/flock/src/**/{visibility,visible}*.ts",
    "packages/flock/src/**/may-see*.ts",
    "packages/flock/src/**/access/**/*.ts",
    // Gates, log, delivery, reducer, store.
    "packages/flock/src/agents/gates/**/*.ts",
    "packages/flock/src/{events,log}/**/*.ts",
    "packages/flock/src/realtime/**/*.ts",
    "packages/protocol/src/**/*reducer*.ts",
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
