import type { Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { layCable } from "../support/cable.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** Orders so many pizzas; those on pineapple are refused. */
async function order(flock: Flock, ...descriptions: readonly string[]): Promise<void> {
  for (const description of descriptions) await flock.publish(Idea({ description }));
  await flock.runUntilIdle();
}

const status = (page: Page) => page.getByRole("status").first();

/** Keeps each count of events that the page has painted from here on. */
async function watchCounts(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(`(() => {
    const count = () => Number(/([\\d,]+) events?$/.exec(document.querySelector("search").textContent)?.[1].replaceAll(",", ""));
    globalThis.painted = [count()];
    const look = () => { if (painted.at(-1) !== count()) painted.push(count()); requestAnimationFrame(look); };
    requestAnimationFrame(look);
  })()`);
  return () => page.evaluate("painted");
}

/** Lets the page's clock go ahead, as it does for whoever was asleep. */
const PAGE_CLOCK = `{ const now = Date.now.bind(Date); globalThis.ahead = 0; Date.now = () => now() + globalThis.ahead; }`;

describe("the connection is never a guess", () => {
  it("live, offline since when and showing what, catching up and how far behind, live again", async () => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await using opened = await browser.open(`${cable.url}/events`);
    const { page } = opened;
    await status(page).getByText("Live", { exact: true }).waitFor();
    const seen = server.flock.log.head;
    cable.cut();
    await status(page)
      .getByText(new RegExp(`^Offline since \\d\\d:\\d\\d, showing seq ${seen}\\.`))
      .waitFor();
    await order(server.flock, ...Array.from({ length: 400 }, (_, index) => `pizza ${index}`), "pineapple");
    const { head } = server.flock.log;
    // The way is open again, but so narrow that not all of it comes.
    cable.throttle(40_000);
    cable.mend();
    await page
      .getByRole("button", { name: "Retry now" })
      .click({ timeout: 2_000 })
      .catch(() => {});
    await status(page)
      .getByText(/^Catching up: [\d,]+ behind$/)
      .waitFor();
    const behind = Number(((await status(page).textContent()) ?? "").replaceAll(/\D/g, ""));
    expect(behind).toBeGreaterThan(500);
    expect(behind).toBeLessThanOrEqual(head - seen);
    cable.release();
    await status(page).getByText("Live", { exact: true }).waitFor();
    await page.getByText(`${head.toLocaleString("en")} events`).waitFor();
  });

  it("a reader that is stalled while much happens has missed nothing afterwards", async () => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await using opened = await browser.open(`${cable.url}/events`);
    const { page } = opened;
    await status(page).getByText("Live", { exact: true }).waitFor();
    cable.throttle(1);
    await order(server.flock, ...Array.from({ length: 600 }, (_, index) => `${index} ${"x".repeat(2_000)}`));
    cable.release();
    const { head } = server.flock.log;
    await page.getByText(`${head.toLocaleString("en")} events`).waitFor();
    await status(page).getByText("Live", { exact: true }).waitFor();
    await page.getByText(/events missing/).waitFor({ state: "detached" });
  });

  it("a gap is shown as a gap, where it is and how large, and counters are right all the same", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    let flock = pizzeria({ store: sqliteStore(path) });
    const served = await flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port: 0 });
    const { port } = served;
    await order(flock, "truffle");
    await using opened = await browser.open(`${served.url}/events`);
    const { page } = opened;
    const seen = flock.log.head;
    await page.getByText(`${seen} events`).waitFor();
    await served.close();
    await order(flock, ...Array.from({ length: 30 }, (_, index) => `pizza ${index}`));
    await flock.shutdown();
    // Retention drops all of it before the page is back.
    flock = pizzeria({ store: sqliteStore(path, { retention: { maxAgeMs: 1 } }) });
    try {
      await expect.poll(() => flock.log.oldest, { timeout: 20_000 }).toBeGreaterThan(flock.log.head);
      await flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
      await status(page).getByText("Live", { exact: true }).waitFor();
      const words = page.getByRole("banner").getByText(/ events missing$/);
      await words.waitFor();
      const missing = Number(((await words.textContent()) ?? "").replaceAll(/\D/g, ""));
      expect(missing).toBeGreaterThanOrEqual(150);
      expect(missing).toBeLessThanOrEqual(flock.log.head - seen);
      await page.getByRole("log").getByText(`${missing} events missing: no longer kept`).waitFor();
      await page.getByRole("navigation").getByRole("link", { name: "Agents" }).click();
      const row = page.getByRole("row", { name: /pizza_master/ });
      await row.getByRole("cell", { name: "31", exact: true }).waitFor();
    } finally {
      await flock.shutdown();
    }
  });
});

describe("who comes back gets one batch, one paint and a sentence", () => {
  const MISSED = ["pineapple", "basil", "pineapple", "olive"];
  const WORDS = "While you were away: 2 runs failed, 2 runs ended well, 6 artifacts.";

  /** A page that has seen everything so far, and has a clock that can be put ahead. */
  async function watching() {
    const server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    const opened = await browser.open("about:blank");
    await opened.page.addInitScript(PAGE_CLOCK);
    await opened.page.goto(`${server.url}/events`);
    await opened.page.getByText(`${server.flock.log.head} events`).waitFor();
    return { server, opened, page: opened.page, seen: server.flock.log.head };
  }

  it("to a tab that was hidden", async () => {
    const { server, opened, page, seen } = await watching();
    await using _server = server;
    await using _opened = opened;
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
    await page.getByText(WORDS).waitFor();
    expect(await counts()).toEqual([seen, server.flock.log.head]);
    // What comes now is seen, and no longer missed.
    await page.getByRole("button", { name: "Dismiss" }).click();
    await order(server.flock, "caper");
    await page.getByText(`${server.flock.log.head} events`).waitFor();
    expect(await page.getByText("While you were away").count()).toBe(0);
  });

  it("to a page whose timers stood still, as in a laptop that sleeps", async () => {
    const { server, opened, page, seen } = await watching();
    await using _server = server;
    await using _opened = opened;
    // Stopped in the debugger the page does nothing at all, while its worker goes on: timers, frames and messages wait.
    const devtools = await page.context().newCDPSession(page);
    const counts = await watchCounts(page);
    await devtools.send("Debugger.enable");
    const paused = new Promise<{ callFrames: { callFrameId: string }[] }>((resolve) =>
      devtools.once("Debugger.paused", resolve),
    );
    await devtools.send("Debugger.pause");
    const [frame] = (await paused).callFrames;
    await order(server.flock, ...MISSED);
    // It sleeps on after the last of it, as laptops do: its worker has everything by then.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await devtools.send("Debugger.evaluateOnCallFrame", {
      callFrameId: frame?.callFrameId ?? "",
      expression: "globalThis.ahead = 3_600_000",
    });
    await devtools.send("Debugger.resume");
    await page.getByText(WORDS).waitFor();
    expect(await counts()).toEqual([seen, server.flock.log.head]);
  });

  it("to a laptop whose connection died while it slept", async () => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await order(server.flock, "truffle");
    await using cable = await layCable(server.url);
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await page.addInitScript(PAGE_CLOCK);
    await page.goto(`${cable.url}/events`);
    await page.getByText(`${server.flock.log.head} events`).waitFor();
    cable.cut();
    await status(page)
      .getByText(/^Offline/)
      .waitFor();
    await order(server.flock, ...MISSED);
    await page.evaluate("globalThis.ahead = 3_600_000");
    const counts = await watchCounts(page);
    const [before] = await counts();
    cable.mend();
    await page.getByText(WORDS).waitFor();
    expect(await counts()).toEqual([before, server.flock.log.head]);
    await page.getByRole("button", { name: "Show the first failure" }).click();
    await page.waitForURL(/\/events\?seq=\d+/);
  });
});
