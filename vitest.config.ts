import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // What tests provoke on purpose would bury what went wrong.
    env: { FLOCK_LOG_LEVEL: process.env.FLOCK_LOG_LEVEL ?? "silent" },
    projects: [
      {
        test: { name: "unit", include: ["{packages,examples,scripts,bench}/**/*.test.{ts,tsx}"], testTimeout: 20_000 },
      },
      // Real servers, browsers and proxies: side by side they would measure each other, so few at a time.
      {
        test: {
          name: "e2e",
          include: ["tests/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
