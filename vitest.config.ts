import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The workers inherit the environment. What tests provoke on purpose would bury the log of a real failure.
process.env.FLOCK_LOG_LEVEL ??= "silent";
if (process.env.FLOCK_TEST_SEED === undefined) {
  process.env.FLOCK_TEST_SEED = String(Math.floor(Math.random() * 2 ** 31));
  console.log(`seed of the properties: ${process.env.FLOCK_TEST_SEED} (set FLOCK_TEST_SEED to repeat this run)`);
}

const setupFiles = ["properties", "patience"].map((name) =>
  fileURLToPath(new URL(`tests/support/${name}.ts`, import.meta.url)),
);
const isSoak = process.env.FLOCK_TEST_STRENGTH === "soak";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{packages,examples,scripts,bench}/**/*.test.{ts,tsx}"],
          setupFiles,
          testTimeout: isSoak ? 300_000 : 20_000,
          maxWorkers: "100%",
        },
      },
      // Real servers, browsers and proxies would slow each other down, so few run at a time.
      {
        test: {
          name: "e2e",
          include: ["tests/**/*.test.ts"],
          // Playwright runs these.
          exclude: ["tests/dashboard/**"],
          setupFiles,
          testTimeout: isSoak ? 600_000 : 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
