// Takes the screenshots of docs/dashboard.md and the README in both themes: the dashboard after the newsroom example
// has finished its work, in Debian's Chromium.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Page } from "@playwright/test";
import { ROOT } from "./run.ts";

/** Opens each screen, by the name of its screenshot. */
const SCREENS: Readonly<Record<string, (page: Page, url: string) => Promise<unknown>>> = {
  agents: (page, url) => page.goto(`${url}/agents`),
  runs: (page, url) => page.goto(`${url}/runs`),
  blackboard: async (page, url) => {
    await page.goto(`${url}/blackboard`);
    await page.getByRole("link", { name: "Review" }).first().click();
  },
  events: (page, url) => page.goto(`${url}/events?types=artifact_published,agent_execution_completed`),
  control: async (page, url) => {
    await page.goto(`${url}/control`);
    await page.getByRole("button", { name: "Pause critic" }).click();
    await page.getByRole("link", { name: /^Visible from seq/ }).waitFor();
    await publishAgain(url);
    await page
      .getByText(/^\d+ queued$/)
      .first()
      .waitFor();
  },
};

await mkdir(join(ROOT, "docs/images"), { recursive: true });
const newsroom = spawn("node", ["examples/newsroom/main.ts", "--port", "0", "--no-open", "--data", "none"], {
  cwd: ROOT,
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const url = await urlOf(newsroom.stdout);
  await workDone(url);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell", args: ["--no-sandbox"] });
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
      for (const [name, show] of Object.entries(SCREENS)) {
        await show(page, url);
        await page.getByRole("status").getByText("Live").waitFor();
        // The graph's layout is computed in a worker and takes a moment.
        await page.waitForTimeout(2_000);
        await page.screenshot({ path: join(ROOT, `docs/images/${name}-${colorScheme}.png`) });
      }
      // Undoes the pause of the last screenshot.
      await post(`${url}/api/plugin/resume`, {});
      await page.close();
    }
  } finally {
    await browser.close();
  }
} finally {
  newsroom.kill("SIGTERM");
  await once(newsroom, "exit");
}

/** Returns the first URL that the program prints. */
async function urlOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /http:\/\/[\w.:[\]-]+/.exec(line)?.[0];
    if (url) {
      output.resume();
      return url;
    }
  }
  throw new Error("the newsroom exited before it printed its URL");
}

/** Publishes the newest article again as another workflow. */
async function publishAgain(url: string): Promise<void> {
  const { artifacts } = await (await fetch(`${url}/api/v1/plugin/artifacts?type_names=Article&limit=1`)).json();
  await post(`${url}/api/plugin/publish`, { artifact_type: "Article", payload: artifacts[0].payload });
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const { ok, status } = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!ok) throw new Error(`${url} returned ${status}`);
}

/** Waits until the newsroom's first workflow has no queued or running runs. */
async function workDone(url: string): Promise<void> {
  const read = async (path: string) => (await fetch(`${url}/api/v1/plugin/${path}`)).json();
  for (;;) {
    const { artifacts } = await read("artifacts?limit=1");
    if (artifacts.length > 0) {
      const { state } = await read(`correlations/${encodeURIComponent(artifacts[0].correlation_id)}/status`);
      if (state !== "active") return;
    }
    await sleep(100);
  }
}
