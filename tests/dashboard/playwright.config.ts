import { defineConfig } from "@playwright/test";
import { installed } from "../support/installed.ts";

// Tests provoke failures on purpose. Their log lines would bury the real ones.
process.env.FLOCK_LOG_LEVEL ??= "silent";

const isCI = Boolean(process.env.CI);

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: "../../node_modules/.cache/dashboard-tests",
  fullyParallel: true,
  workers: 2,
  forbidOnly: isCI,
  // The list reporter names each test that needed its retry under "flaky".
  retries: isCI ? 1 : 0,
  reporter: [["list"]],
  // Only a failing test waits this long. A busy machine needs the room.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    browserName: "chromium",
    actionTimeout: 30_000,
    navigationTimeout: 30_000,
    trace: { mode: "retain-on-failure", screenshots: false, sources: false },
    launchOptions: {
      executablePath: installed("/usr/bin/chromium-headless-shell", "chromium-headless-shell"),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Test certificates are self-signed. `ignoreHTTPSErrors` does not cover shared workers.
        "--ignore-certificate-errors",
      ],
    },
  },
});
