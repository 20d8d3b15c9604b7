import type { Page } from "@playwright/test";
import { Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { layCable } from "../support/cable.ts";
import { temporaryFolder } from "../support/folder.ts";
import { keepHouse } from "../support/housekeeping.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

/** Orders pizzas. The agent fails on pineapple. */
async function order(flock: Flock, ...descriptions: readonly string[]): Promise<void> {
  for (const description of descriptions) await flock.publish(Idea({ description }));
  await flock.runUntilIdle();
}

const status = (page: Page) => page.getByRole("status").first();

/** Records each event count that the page paints from now on. Returns a function that reads the record. */
async function watchCounts(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(`(() => {
    const count = () => Number(/([\\d,]+) events?$/.exec(document.querySelector("search").textContent)?.[1].replaceAll(",", ""));
    globalThis.painted = [count()];
    const look = () => { if (painted.at(-1) !== count()) painted.push(count()); requestAnimationFrame(look); };
    requestAnimationFrame(look);
  })()`);
  return () => page.evaluate("painted");
}

/** Lets a test move the page's clock ahead, as after a sleep. */
const PAGE_CLOCK = `{ const now = Date.now.bind(Date); globalThis.ahead = 0; Date.now = () => now() + globalThis.ahead; }`;

test.describe("connection status", () => {
  test("reports live, offline with time and seq, catching up with the distance, and live again", async ({ page }) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await page.goto(`${cable.url}/events`);
    await expect(status(page).getByText("Live", { exact: true })).toBeVisible();
    const seen = server.flock.log.head;
    cable.cut();
    await expect(
      status(page).getByText(new RegExp(`^Offline since \\d\\d:\\d\\d, showing seq ${seen}\\.`)),
    ).toBeVisible();
    await order(server.flock, ...Array.from({ length: 400 }, (_, index) => `pizza ${index}`), "pineapple");
    const { head } = server.flock.log;
    // The connection works again, but holds back part of the missed events.
    cable.throttle(40_000);
    cable.mend();
    await page
      .getByRole("button", { name: "Retry now" })
      .click({ timeout: 2_000 })
      .catch(() => {});
    await expect(status(page).getByText(/^Catching up: [\d,]+ events behind$/)).toBeVisible();
    const behind = Number(((await status(page).textContent()) ?? "").replaceAll(/\D/g, ""));
    expect(behind).toBeGreaterThan(500);
    expect(behind).toBeLessThanOrEqual(head - seen);
    cable.release();
    await expect(status(page).getByText("Live", { exact: true })).toBeVisible();
    await expect(page.getByText(`${head.toLocaleString("en")} events`)).toBeVisible();
  });

  test("a stalled subscriber receives every event after the stall", async ({ page }) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await page.goto(`${cable.url}/events`);
    await expect(status(page).getByText("Live", { exact: true })).toBeVisible();
    cable.throttle(1);
    await order(server.flock, ...Array.from({ length: 600 }, (_, index) => `${index} ${"x".repeat(2_000)}`));
    cable.release();
    const { head } = server.flock.log;
    await expect(page.getByText(`${head.toLocaleString("en")} events`)).toBeVisible();
    await expect(status(page).getByText("Live", { exact: true })).toBeVisible();
    await expect(page.getByText(/events missing/)).toHaveCount(0);
  });

  test("shows a gap with its position and size, and keeps counters correct", async ({ page }) => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    let flock = pizzeria(await Flock.open({ store: sqliteStore(path) }));
    const served = await flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port: 0 });
    const { port } = served;
    await order(flock, "truffle");
    await page.goto(`${served.url}/events`);
    const seen = flock.log.head;
    await expect(page.getByText(`${seen} events`)).toBeVisible();
    await served.close();
    await order(flock, ...Array.from({ length: 30 }, (_, index) => `pizza ${index}`));
    await flock.shutdown();
    // Retention drops every event before the page reconnects.
    keepHouse(path, { maxAgeMs: 0 });
    flock = pizzeria(await Flock.open({ store: sqliteStore(path) }));
    try {
      expect(flock.log.oldest).toBeGreaterThan(flock.log.head);
      await flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
      await expect(status(page).getByText("Live", { exact: true })).toBeVisible();
      const words = page.getByRole("banner").getByText(/ events missing$/);
      await expect(words).toBeVisible();
      const missing = Number(((await words.textContent()) ?? "").replaceAll(/\D/g, ""));
      expect(missing).toBeGreaterThanOrEqual(150);
      expect(missing).toBeLessThanOrEqual(flock.log.head - seen);
      await expect(page.getByRole("log").getByText(`${missing} events missing: no longer retained`)).toBeVisible();
      await page.getByRole("navigation").getByRole("link", { name: "Agents" }).click();
      const row = page.getByRole("row", { name: /pizza_master/ });
      await expect(row.getByRole("cell", { name: "31", exact: true })).toBeVisible();
    } finally {
      await flock.shutdown();
    }
  });
});

test.describe("missed events arrive in one batch, one paint and one summary", () => {
  const MISSED = ["pineapple", "basil", "pineapple", "olive"];
  const WORDS = "While you were away: 2 runs failed, 2 runs completed, 6 artifacts.";

  /** Opens a page that shows every event so far and whose clock can be moved ahead. */
  async function watch(page: Page, url: string, head: number): Promise<void> {
    await page.addInitScript(PAGE_CLOCK);
    await page.goto(`${url}/events`);
    await expect(page.getByText(`${head} events`)).toBeVisible();
  }

  test("in a tab that was hidden", async ({ page }) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    const seen = server.flock.log.head;
    await watch(page, server.url, seen);
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event("visibilitychange"));`,
      );
    await hide(true);
    await order(server.flock, ...MISSED);
    await page.evaluate("globalThis.ahead = 3_600_000");
    const counts = await watchCounts(page);
    await hide(false);
    await expect(page.getByText(WORDS)).toBeVisible();
    expect(await counts()).toEqual([seen, server.flock.log.head]);
    // New events arrive on a visible page, so they are not missed.
    await page.getByRole("button", { name: "Dismiss" }).click();
    await order(server.flock, "caper");
    await expect(page.getByText(`${server.flock.log.head} events`)).toBeVisible();
    expect(await page.getByText("While you were away").count()).toBe(0);
  });

  test("in a page whose timers stood still, as on a sleeping laptop", async ({ page, context }) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    const seen = server.flock.log.head;
    await watch(page, server.url, seen);
    // Both tabs read from the same shared worker.
    const other = await context.newPage();
    await other.goto(`${server.url}/events`);
    await expect(other.getByText(`${seen} events`)).toBeVisible();
    await page.bringToFront();
    // The debugger stops timers, frames and messages of the page. Its shared worker continues.
    const devtools = await context.newCDPSession(page);
    const counts = await watchCounts(page);
    await devtools.send("Debugger.enable");
    const paused = new Promise<{ callFrames: { callFrameId: string }[] }>((resolve) =>
      devtools.once("Debugger.paused", resolve),
    );
    await devtools.send("Debugger.pause");
    const [frame] = (await paused).callFrames;
    await order(server.flock, ...MISSED);
    // The sleep ends after the last event. By now the shared worker has them all.
    await expect(other.getByText(`${server.flock.log.head} events`)).toBeVisible();
    await devtools.send("Debugger.evaluateOnCallFrame", {
      callFrameId: frame?.callFrameId ?? "",
      expression: "globalThis.ahead = 3_600_000",
    });
    await devtools.send("Debugger.resume");
    await devtools.detach();
    await expect(page.getByText(WORDS)).toBeVisible();
    expect(await counts()).toEqual([seen, server.flock.log.head]);
  });

  test("on a laptop that lost its connection while it slept", async ({ page }) => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await watch(page, cable.url, server.flock.log.head);
    cable.cut();
    await expect(status(page).getByText(/^Offline/)).toBeVisible();
    await order(server.flock, ...MISSED);
    await page.evaluate("globalThis.ahead = 3_600_000");
    const counts = await watchCounts(page);
    const [before] = await counts();
    cable.mend();
    await expect(page.getByText(WORDS)).toBeVisible();
    expect(await counts()).toEqual([before, server.flock.log.head]);
    await page.getByRole("button", { name: "Show first failure" }).click();
    await page.waitForURL(/\/events\?seq=\d+/);
  });
});
