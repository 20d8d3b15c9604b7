import type { Page } from "@playwright/test";
import { artifact } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { z } from "zod";
import { Idea, Pizza, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";
import { stillValue } from "./stillness.ts";

const Order = artifact("Order", z.object({ table: z.number() }));

const SCREENS = ["Agents", "Runs", "Live output", "Blackboard", "Events", "Publish", "Control", "Health"];
const PATHS = { "Live output": "output", Health: "system" };

test.describe("screens", () => {
  test("Agents shows a graph and a table with status and counters", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    const row = page.getByRole("row", { name: /pizza_master/ });
    await expect(row).toBeVisible();
    expect(await row.getByRole("cell").allTextContents()).toEqual(expect.arrayContaining(["Idea", "Pizza", "2", "1"]));
    await expect(page.locator(".react-flow__node", { hasText: "pizza_master" }).getByText("1 failed")).toBeVisible();
    expect(await page.locator(".react-flow__node").count()).toBe(2);
  });

  test("Runs shows output and errors, and links to artifacts and back", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/runs`);
    const list = page.getByRole("list", { name: "Runs", exact: true });
    await list.getByRole("link", { name: /error/ }).click();
    await expect(page.getByText("RangeError: not on my pizza", { exact: true })).toBeVisible();
    await list.getByRole("link", { name: /success/ }).click();
    await expect(page.getByText("Thinking about truffle")).toBeVisible();
    await page.getByRole("article").getByRole("link", { name: "Pizza", exact: true }).click();
    await expect(page.getByText('"Pizza with truffle"')).toBeVisible();
    await page.getByRole("article").getByRole("link", { name: "pizza_master" }).click();
    await expect(page.getByText("Thinking about truffle")).toBeVisible();
  });

  test("Events filters by type and by text", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/events`);
    const rows = page.getByRole("log").locator(":scope > div > div");
    await page.locator("summary", { hasText: "Event type" }).click();
    await page.getByLabel("artifact_published").check();
    await expect(page.getByText("3 events")).toBeVisible();
    expect(await rows.count()).toBe(3);
    await page.waitForURL(/types=artifact_published/);
    await page.getByLabel("Search events").fill("truffle");
    await expect(page.getByText("2 events")).toBeVisible();
  });

  test("every screen works without events", async ({ page, errors }) => {
    await using server = await startServer({ components: [], dashboard: true });
    for (const screen of SCREENS) {
      await page.goto(`${server.url}/${PATHS[screen as keyof typeof PATHS] ?? screen.toLowerCase()}`);
      await expect(page.getByRole("status").getByText("Live")).toBeVisible();
      await expect(page.getByText("no events yet", { exact: true })).toBeVisible();
      if (screen === "Health") await expect(page.getByText("Nothing: there are no events yet.")).toBeVisible();
      expect(errors).toEqual([]);
    }
  });

  test("Health reports unknown state as unknown until the server answers", async ({ page }) => {
    await using server = await servedPizzeria();
    const told = Promise.withResolvers<void>();
    await page.route("**/dashboard-config.json", (route) => told.promise.then(() => route.continue()));
    await page.goto(`${server.url}/system`);
    await expect(page.getByText("Not known yet: what the server has to tell is still on its way.")).toBeVisible();
    await expect(page.getByText("waiting…")).toBeVisible();
    expect(await page.getByText("no events yet").count()).toBe(0);
    told.resolve();
    await expect(page.getByText("Nothing: every event since seq 1 is here.")).toBeVisible();
  });
});

test.describe("agent panel", () => {
  test("shows what the gate has, what it waits for, and past runs", async ({ page }) => {
    const flock = pizzeria();
    flock
      .agent("waiter")
      .description("Serves a pizza to whoever ordered it")
      .consumes(Pizza, Order)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    await page.goto(server.url);
    await page
      .getByRole("row", { name: /waiter/ })
      .getByRole("link", { name: "waiter" })
      .click();
    const panel = page.getByRole("complementary", { name: "Agent waiter" });
    await expect(panel.getByText("Waits for Order")).toBeVisible();
    await expect(panel.getByText("Pizza 1/1, Order 0/1")).toBeVisible();
    await expect(panel.getByText("It has not run yet.")).toBeVisible();
    await flock.publish(Order({ table: 4 }));
    await flock.runUntilIdle();
    await expect(panel.getByText("Nothing has been gathered")).toBeVisible();
    await panel.getByRole("link", { name: "All of them" }).click();
    await page.waitForURL(/\/runs\?agent=waiter/);
  });

  test("a moved box stays in place after selection and reload", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    const box = page.locator(".react-flow__node", { hasText: "pizza_master" });
    await expect(box).toBeVisible();
    const before = await box.boundingBox();
    await box.getByText("Invents pizzas").hover();
    await page.mouse.down();
    await page.mouse.move(((before?.x ?? 0) + 30) | 0, ((before?.y ?? 0) - 60) | 0, { steps: 5 });
    await page.mouse.up();
    const moved = await box.boundingBox();
    expect(moved?.y).toBeLessThan((before?.y ?? 0) - 30);
    await box.getByRole("link", { name: "pizza_master" }).click();
    await expect(page.getByRole("complementary", { name: "Agent pizza_master" })).toBeVisible();
    expect(await box.boundingBox()).toEqual(moved);
    const placed = await page.evaluate("localStorage.getItem('flock-places')");
    await page.reload();
    await expect(box).toBeVisible();
    expect(await page.evaluate("localStorage.getItem('flock-places')")).toBe(placed);
  });
});

/** Waits until the boxes of the graph are visible and do not move. */
async function standing(page: Page): Promise<void> {
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  await stillValue(
    page,
    `[...document.querySelectorAll(".react-flow__node")].map((node) => node.getBoundingClientRect())`,
  );
}

test.describe("moving a box without dragging", () => {
  test("works by two clicks and by keyboard, and survives a reload", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await page.setViewportSize({ width: 1440, height: 900 });
    const box = page.locator(".react-flow__node", { hasText: "pizza_master" });
    await expect(box).toBeVisible();
    const placeOf = async () => await box.boundingBox();
    await standing(page);
    const graph = await page.getByRole("region", { name: "Flow between agents" }).boundingBox();
    const corner = { x: (graph?.x ?? 0) + 500, y: (graph?.y ?? 0) + (graph?.height ?? 0) - 80 };
    const first = await placeOf();
    await page.mouse.click(corner.x, corner.y);
    expect(await placeOf()).toEqual(first);

    await page.getByRole("button", { name: "Move boxes without dragging" }).click();
    await expect(page.getByRole("status").getByText("Choose a box, then a free place for it")).toBeVisible();
    await box.click({ position: { x: 100, y: 55 } });
    await page.mouse.click(corner.x, corner.y);
    const put = await placeOf();
    expect((put?.x ?? 0) + (put?.width ?? 0) / 2).toBeCloseTo(corner.x, -1);
    expect((put?.y ?? 0) + (put?.height ?? 0) / 2).toBeCloseTo(corner.y, -1);

    await box.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Backspace");
    for (let n = 0; n < 5; n++) await page.keyboard.press("Shift+ArrowUp");
    const moved = await placeOf();
    expect(moved?.x).toBeCloseTo(put?.x ?? 0, 0);
    expect(moved?.y).toBeLessThan((put?.y ?? 0) - 40);

    const kept = await page.evaluate("localStorage.getItem('flock-places')");
    await page.reload();
    await standing(page);
    const outside = await page.locator(".react-flow__node", { hasText: "outside" }).boundingBox();
    expect((await placeOf())?.y).toBeGreaterThan((outside?.y ?? 0) + 50);
    expect(await page.evaluate("localStorage.getItem('flock-places')")).toBe(kept);
  });
});

test.describe("state at a past seq", () => {
  test("is reached by keys, slider and URL, and left by one key", async ({ page, openPage }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/runs`);
    const runs = page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem");
    await expect(runs.filter({ hasText: "error" })).toBeVisible();
    await page.getByRole("slider", { name: "Seq" }).press("Home");
    await expect(page.getByText("No agent has run yet")).toBeVisible();
    await expect(page.getByRole("button", { name: "Go live" })).toBeVisible();
    await page.keyboard.press("]");
    await expect(runs.filter({ hasText: "error" })).toBeVisible();
    await page.keyboard.press(",");
    await expect(runs.filter({ hasText: "running" })).toBeVisible();
    await page.waitForURL(/seq=\d+/);
    const other = await openPage(page.url());
    await expect(other.page.getByRole("list", { name: "Runs", exact: true }).getByText("running")).toBeVisible();
    await page.keyboard.press("l");
    await expect(page.getByRole("button", { name: "Following" })).toBeVisible();
    expect(await runs.filter({ hasText: "running" }).count()).toBe(0);
    expect(await runs.count()).toBe(2);
  });

  test("new events do not change the past", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/events?seq=5`);
    await expect(page.getByText("5 events")).toBeVisible();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    const bar = page.getByRole("slider", { name: "Seq" });
    await expect
      .poll(async () => Number(await bar.getAttribute("max")), { timeout: 15_000 })
      .toBe(server.flock.stats().head);
    await expect(page.getByText("5 events")).toBeVisible();
    await page.keyboard.press("l");
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
  });

  test("playback stops at the end", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/events`);
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
    await page.getByLabel("Speed").selectOption("100×");
    await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
  });
});

test.describe("event files", () => {
  test("a saved file shows the same events without a server", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save the events");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    await page.keyboard.press("Control+k");
    await page.getByLabel("A file of events").setInputFiles(await download.path());
    await expect(page.getByRole("status").getByText("File: ")).toBeVisible();
    // The other screens load when the page is idle. They need the server for that.
    const loaded = "performance.getEntriesByType('resource').some(({ name }) => name.includes('health-screen'))";
    await expect.poll(() => page.evaluate(loaded)).toBe(true);
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await server.server.close();
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await page
      .getByRole("link", { name: /success/ })
      .first()
      .click();
    await expect(page.getByText("Thinking about truffle")).toBeVisible();
  });

  test("another kind of file is rejected with a message", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("Control+k");
    await page
      .getByLabel("A file of events")
      .setInputFiles({ name: "cat.txt", mimeType: "text/plain", buffer: Buffer.from("a cat") });
    await expect(page.getByRole("alert").getByText("line 1 is not JSON")).toBeVisible();
  });
});

test.describe("command palette and shortcuts", () => {
  test("the palette finds screens, agents, runs, artifacts and seqs", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    const jump = async (text: string, to: RegExp) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill(text);
      await expect(page.getByRole("dialog").getByRole("option").first()).toBeVisible();
      await page.keyboard.press("Enter");
      await page.waitForURL(to);
    };
    await jump("truffle", /\/blackboard\//);
    await jump("live output", /\/output$/);
    await jump("4", /seq=4/);
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForURL(/\/events\?seq=4/);
  });

  test("the sheet lists shortcuts and turns single letters off", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect(sheet.getByText("Back to live")).toBeVisible();
    await sheet.getByLabel("Single letters are shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("dialog", { name: "Search, jump and act" })).toBeVisible();
    expect(await sheet.count()).toBe(0);
  });
});

test.describe("shared connection", () => {
  test("serves all tabs, and a tab left in the background is up to date when shown", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/events`);
    const count = () => page.getByText(`${server.flock.stats().head} events`);
    await expect(count()).toBeVisible();
    const other = await page.context().newPage();
    await other.goto(`${server.url}/runs`);
    await expect(other.getByRole("link", { name: /success/ }).first()).toBeVisible();
    expect(server.websocket.connectionCount).toBe(1);
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await page.bringToFront();
    await expect(count()).toBeVisible();
    await page.close();
    await server.flock.publish(Idea({ description: "basil" }));
    await expect(other.getByRole("listitem").nth(3)).toBeVisible();
  });
});

test.describe("returning visitors", () => {
  test("see a summary since the last visit and the first failure", async ({ page }) => {
    await using server = await servedPizzeria();
    const { epoch } = (await (await server.get("/plugin/events?limit=1")).json()) as { epoch: string };
    const seen = JSON.stringify({ epoch, seq: 0, at: 0 });
    await page.addInitScript(`localStorage.setItem("flock-seen", ${JSON.stringify(seen)})`);
    await page.goto(server.url);
    await expect(page.getByText("While you were away: 1 run failed, 1 run ended well, 3 artifacts.")).toBeVisible();
    await page.getByRole("button", { name: "Show the first failure" }).click();
    await page.waitForURL(/\/events\?seq=\d+/);
  });
});

test.describe("a hidden tab", () => {
  test("does not update until it is shown", async ({ page, openPage }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/events`);
    const before = server.flock.stats().head;
    await expect(page.getByText(`${before} events`)).toBeVisible();
    // Headless pages are always visible.
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event("visibilitychange"));`,
      );
    await hide(true);
    for (const description of ["olive", "basil", "caper"]) await server.flock.publish(Idea({ description }));
    await server.flock.runUntilIdle();
    const other = await openPage(`${server.url}/events`);
    await expect(other.page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
    expect(await page.getByText(`${before} events`).count()).toBe(1);
    await hide(false);
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
  });
});

test.describe("a browser without shared workers", () => {
  test("shows the same over its own connection", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.addInitScript("delete globalThis.SharedWorker");
    await page.goto(`${server.url}/events`);
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
  });
});

test.describe("a log longer than the first chunk", () => {
  test("shows its newest part first, then all of it, with the server's counts", async ({ page }) => {
    const flock = pizzeria();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Array.from({ length: 1_800 }, (_, index) => Idea({ description: `idea ${index}` })));
    await flock.runUntilIdle();
    expect(flock.stats().head).toBeGreaterThan(10_000);
    await page.goto(server.url);
    await expect(
      page
        .getByRole("row", { name: /pizza_master/ })
        .getByRole("cell", { name: "1800" })
        // The rate column shows the same number for a minute.
        .first(),
    ).toBeVisible();
    const bar = page.getByRole("slider", { name: "Seq" });
    await expect(bar).toHaveAttribute("min", "1");
    await expect(
      page
        .getByRole("row", { name: /pizza_master/ })
        .getByRole("cell", { name: "1800" })
        .first(),
    ).toBeVisible();
    await bar.press("Home");
    // The row stays until the next frame.
    await expect(page.getByRole("cell", { name: "1800" })).toHaveCount(0);
    await expect(
      page
        .getByText("No agents yet")
        .or(page.getByRole("row", { name: /pizza_master/ }))
        .first(),
    ).toBeVisible();
  });
});

test.describe("publishing by a form", () => {
  test("reports a missing field, then publishes and links to the artifact", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/publish/Idea`);
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await expect(page.getByText("is required", { exact: true })).toBeVisible();
    await page.getByLabel("description").fill("basil");
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await expect(page.getByText("pizza_master will run")).toBeVisible();
    await page.getByRole("link", { name: "Show the artifact" }).click();
    await expect(page.getByText('"basil"')).toBeVisible();
    await server.flock.runUntilIdle();
    expect(server.flock.stats().runs.success).toBe(2);
  });
});

test.describe("lost server", () => {
  test("the dashboard reports it, reconnects and has every event", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/runs`);
    await expect(page.getByRole("status").getByText("Live")).toBeVisible();
    const { port } = server.server;
    await server.server.close();
    await expect(page.getByRole("status").getByText(/Offline since \d\d:\d\d, showing seq \d+/)).toBeVisible();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await server.flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
    await expect(page.getByRole("status").getByText("Live")).toBeVisible();
    await expect(page.getByText("Thinking about olive")).toBeVisible();
    expect(await page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem").count()).toBe(3);
  });
});

test.describe("Health connections", () => {
  test("lists connections with their filters and marks this browser", async ({ page }) => {
    await using server = await servedPizzeria();
    const other = await server.connect("/plugin/ws?agents=pizza_master");
    await page.goto(`${server.url}/system`);
    const rows = page.getByRole("region", { name: "Connections" }).getByRole("row");
    await expect(rows.filter({ hasText: "this browser" }).filter({ hasText: "everything" })).toBeVisible();
    await expect(rows.filter({ hasText: "of pizza_master" }).filter({ hasText: "0 events" })).toBeVisible();
    await other.close();
    await expect(rows.filter({ hasText: "of pizza_master" })).toHaveCount(0);
  });
});

test.describe("Health figures", () => {
  test("appear after the first answer without moving other content", async ({ page }) => {
    await using server = await servedPizzeria();
    const first = Promise.withResolvers<void>();
    let asked = 0;
    await page.route("**/metrics", async (route) => {
      asked += 1;
      // Answer only the first request. A rate needs two.
      if (asked > 1) return;
      await first.promise;
      await route.continue();
    });
    await page.goto(`${server.url}/system`);
    await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
    await expect(page.getByRole("heading", { name: "This page" })).toBeVisible();
    const memory = page.getByRole("figure").filter({ hasText: "Memory, MB" });
    await expect(memory.getByText("–")).toBeVisible();
    const placesOf = () =>
      page
        .locator("#content :is(h2, h3, figure)")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
    const before = await placesOf();
    first.resolve();
    await expect(memory.getByText(/^\d+$/)).toBeVisible();
    await expect(page.getByRole("region", { name: "Connections" })).toBeVisible();
    expect((await placesOf()).slice(0, before.length)).toEqual(before);
    await expect(page.getByRole("figure").filter({ hasText: "Events a second" }).getByText("–")).toBeVisible();
  });
});

test.describe("accessibility", () => {
  for (const [scheme, width] of [
    ["light", 1440],
    ["light", 390],
    ["dark", 1440],
    ["dark", 390],
  ] as const)
    test(`axe reports nothing serious on any screen (${scheme}, ${width} px)`, async ({ page }) => {
      await using server = await servedPizzeria();
      await page.goto(server.url);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 844 });
      for (const screen of SCREENS) {
        await page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
        await expect(page.getByRole("status").getByText("Live")).toBeVisible();
        expect(await seriousViolationsOf(page), `${screen} at ${width} px`).toEqual([]);
        const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect(overflow, `${screen} at ${width} px`).toBeLessThanOrEqual(0);
      }
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(scheme);
    });
});
