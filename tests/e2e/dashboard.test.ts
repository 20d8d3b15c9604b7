import { AxeBuilder } from "@axe-core/playwright";
import { artifact } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, Pizza, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

/** What a guest has asked for. */
const Order = artifact("Order", z.object({ table: z.number() }));

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const SCREENS = ["Agents", "Runs", "Live output", "Blackboard", "Events", "Publish", "Control", "Health"];
const PATHS = { "Live output": "output", Health: "system" };

describe("the dashboard shows what is and what was", () => {
  it("agents as a graph and a table, with status and counters", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    const row = page.getByRole("row", { name: /pizza_master/ });
    await row.waitFor();
    expect(await row.getByRole("cell").allTextContents()).toEqual(expect.arrayContaining(["Idea", "Pizza", "2", "1"]));
    await page.locator(".react-flow__node", { hasText: "pizza_master" }).getByText("1 failed").waitFor();
    expect(await page.locator(".react-flow__node").count()).toBe(2);
  });

  it("runs with their output and errors, and the way from an artifact to its run and back", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/runs`);
    const { page } = opened;
    const list = page.getByRole("list", { name: "Runs", exact: true });
    await list.getByRole("link", { name: /error/ }).click();
    await page.getByText("RangeError: not on my pizza", { exact: true }).waitFor();
    await list.getByRole("link", { name: /success/ }).click();
    await page.getByText("Thinking about truffle").waitFor();
    await page.getByRole("article").getByRole("link", { name: "Pizza", exact: true }).click();
    await page.getByText('"Pizza with truffle"').waitFor();
    await page.getByRole("article").getByRole("link", { name: "pizza_master" }).click();
    await page.getByText("Thinking about truffle").waitFor();
  });

  it("every event, by type and by text", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    const rows = page.getByRole("log").locator(":scope > div > div");
    await page.locator("summary", { hasText: "Event type" }).click();
    await page.getByLabel("artifact_published").check();
    await page.getByText("3 events").waitFor();
    expect(await rows.count()).toBe(3);
    await page.waitForURL(/types=artifact_published/);
    await page.getByLabel("Search events").fill("truffle");
    await page.getByText("2 events").waitFor();
  });

  it("nothing breaks while nothing is there yet", async () => {
    await using server = await startServer({ components: [], dashboard: true });
    for (const screen of SCREENS) {
      await using opened = await browser.open(
        `${server.url}/${PATHS[screen as keyof typeof PATHS] ?? screen.toLowerCase()}`,
      );
      await opened.page.getByRole("status").getByText("Live").waitFor();
      await opened.page.getByText("no events yet", { exact: true }).waitFor();
      if (screen === "Health") await opened.page.getByText("Nothing: there are no events yet.").waitFor();
      expect(opened.errors).toEqual([]);
    }
  });

  it("nothing is said not to be there before that is known", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    const told = Promise.withResolvers<void>();
    await page.route("**/dashboard-config.json", (route) => told.promise.then(() => route.continue()));
    await page.goto(`${server.url}/system`);
    await page.getByText("Not known yet: what the server has to tell is still on its way.").waitFor();
    await page.getByText("waiting…").waitFor();
    expect(await page.getByText("no events yet").count()).toBe(0);
    told.resolve();
    await page.getByText("Nothing: every event since seq 1 is here.").waitFor();
  });
});

describe("an agent says why it does not run", () => {
  it("what its gate has, what it waits for, and what it has done", async () => {
    const flock = pizzeria();
    flock
      .agent("waiter")
      .description("Serves a pizza to whoever ordered it")
      .consumes(Pizza, Order)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page
      .getByRole("row", { name: /waiter/ })
      .getByRole("link", { name: "waiter" })
      .click();
    const panel = page.getByRole("complementary", { name: "Agent waiter" });
    await panel.getByText("Waits for Order").waitFor();
    await panel.getByText("Pizza 1/1, Order 0/1").waitFor();
    await panel.getByText("It has not run yet.").waitFor();
    await flock.publish(Order({ table: 4 }));
    await flock.runUntilIdle();
    await panel.getByText("Nothing has been gathered").waitFor();
    await panel.getByRole("link", { name: "All of them" }).click();
    await page.waitForURL(/\/runs\?agent=waiter/);
  });

  it("what a person has moved stays moved, and looking at an agent moves nothing", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    const box = page.locator(".react-flow__node", { hasText: "pizza_master" });
    await box.waitFor();
    const before = await box.boundingBox();
    await box.getByText("Invents pizzas").hover();
    await page.mouse.down();
    await page.mouse.move(((before?.x ?? 0) + 30) | 0, ((before?.y ?? 0) - 60) | 0, { steps: 5 });
    await page.mouse.up();
    const moved = await box.boundingBox();
    expect(moved?.y).toBeLessThan((before?.y ?? 0) - 30);
    await box.getByRole("link", { name: "pizza_master" }).click();
    await page.getByRole("complementary", { name: "Agent pizza_master" }).waitFor();
    expect(await box.boundingBox()).toEqual(moved);
    const placed = await page.evaluate("localStorage.getItem('flock-places')");
    await page.reload();
    await box.waitFor();
    expect(await page.evaluate("localStorage.getItem('flock-places')")).toBe(placed);
  });
});

/** Resolves when the picture of the agents has come to rest. */
async function standing(page: Page): Promise<void> {
  const boxes = page.locator(".react-flow__node");
  await boxes.first().waitFor();
  let before = "";
  await expect
    .poll(
      async () => {
        const now = JSON.stringify(await boxes.evaluateAll((all) => all.map((one) => one.getBoundingClientRect())));
        const rests = now === before;
        before = now;
        return rests;
      },
      { interval: 200 },
    )
    .toBe(true);
}

describe("a box of the graph is moved without dragging", () => {
  it("by two clicks, and by keys alone; it stays there", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.setViewportSize({ width: 1440, height: 900 });
    const box = page.locator(".react-flow__node", { hasText: "pizza_master" });
    await box.waitFor();
    const placeOf = async () => await box.boundingBox();
    await standing(page);
    const graph = await page.getByRole("region", { name: "Flow between agents" }).boundingBox();
    const corner = { x: (graph?.x ?? 0) + 500, y: (graph?.y ?? 0) + (graph?.height ?? 0) - 80 };
    const first = await placeOf();
    await page.mouse.click(corner.x, corner.y);
    expect(await placeOf()).toEqual(first);

    await page.getByRole("button", { name: "Move boxes without dragging" }).click();
    await page.getByRole("status").getByText("Choose a box, then a free place for it").waitFor();
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

describe("every screen shows the state at any seq", () => {
  it("by keys, by slider and by link, and goes back to live with one key", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/runs`);
    const { page } = opened;
    const runs = page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem");
    await runs.filter({ hasText: "error" }).waitFor();
    await page.getByRole("slider", { name: "Seq" }).press("Home");
    await page.getByText("No agent has run yet").waitFor();
    await page.getByRole("button", { name: "Go live" }).waitFor();
    await page.keyboard.press("]");
    await runs.filter({ hasText: "error" }).waitFor();
    await page.keyboard.press(",");
    await runs.filter({ hasText: "running" }).waitFor();
    await page.waitForURL(/seq=\d+/);
    await using other = await browser.open(page.url());
    await other.page.getByRole("list", { name: "Runs", exact: true }).getByText("running").waitFor();
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Following" }).waitFor();
    expect(await runs.filter({ hasText: "running" }).count()).toBe(0);
    expect(await runs.count()).toBe(2);
  });

  it("who looks at the past is not moved by what happens now", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/events?seq=5`);
    const { page } = opened;
    await page.getByText("5 events").waitFor();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    const bar = page.getByRole("slider", { name: "Seq" });
    await expect
      .poll(async () => Number(await bar.getAttribute("max")), { timeout: 15_000 })
      .toBe(server.flock.stats().head);
    await page.getByText("5 events").waitFor();
    await page.keyboard.press("l");
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
  });

  it("plays what happened, and stops at the end", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
    await page.getByLabel("Speed").selectOption("100×");
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
  });
});

describe("events go to a file, and come from one without a server", () => {
  it("what is saved shows the same when it is opened", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save the events");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    await page.keyboard.press("Control+k");
    await page.getByLabel("A file of events").setInputFiles(await download.path());
    await page.getByRole("status").getByText("File: ").waitFor();
    // The other screens come when there is time; without a server they could not.
    const loaded = "performance.getEntriesByType('resource').some(({ name }) => name.includes('health-screen'))";
    await expect.poll(() => page.evaluate(loaded), { timeout: 15_000 }).toBe(true);
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await server.server.close();
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await page
      .getByRole("link", { name: /success/ })
      .first()
      .click();
    await page.getByText("Thinking about truffle").waitFor();
  });

  it("a file of something else is refused in a sentence", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await page.keyboard.press("Control+k");
    await page
      .getByLabel("A file of events")
      .setInputFiles({ name: "cat.txt", mimeType: "text/plain", buffer: Buffer.from("a cat") });
    await page.getByRole("alert").getByText("line 1 is not JSON").waitFor();
  });
});

describe("everything by keyboard", () => {
  it("the palette finds screens, agents, runs, artifacts and seqs", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    const jump = async (text: string, to: RegExp) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill(text);
      await page.getByRole("dialog").getByRole("option").first().waitFor();
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

  it("the sheet shows what keys do, and can turn single letters off", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await sheet.getByText("Back to live").waitFor();
    await sheet.getByLabel("Single letters are shortcuts").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Search, jump and act" }).waitFor();
    expect(await sheet.count()).toBe(0);
  });
});

describe("tabs share one connection", () => {
  it("and a tab that is hidden is right again when it is seen", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    const count = () => page.getByText(`${server.flock.stats().head} events`);
    await count().waitFor();
    const other = await page.context().newPage();
    await other.goto(`${server.url}/runs`);
    await other
      .getByRole("link", { name: /success/ })
      .first()
      .waitFor();
    expect(server.websocket.connectionCount).toBe(1);
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await page.bringToFront();
    await count().waitFor();
    await page.close();
    await server.flock.publish(Idea({ description: "basil" }));
    await other.getByRole("listitem").nth(3).waitFor();
  });
});

describe("who comes back is told what has happened", () => {
  it("since they were here last, and shown the first failure", async () => {
    await using server = await servedPizzeria();
    const { epoch } = (await (await server.get("/plugin/events?limit=1")).json()) as { epoch: string };
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    const seen = JSON.stringify({ epoch, seq: 0, at: 0 });
    await page.addInitScript(`localStorage.setItem("flock-seen", ${JSON.stringify(seen)})`);
    await page.goto(server.url);
    await page.getByText("While you were away: 1 run failed, 1 run ended well, 3 artifacts.").waitFor();
    await page.getByRole("button", { name: "Show the first failure" }).click();
    await page.waitForURL(/\/events\?seq=\d+/);
  });
});

describe("a tab in the background", () => {
  it("asks for nothing, and is right again when it is seen", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    const before = server.flock.stats().head;
    await page.getByText(`${before} events`).waitFor();
    // Headless pages are never hidden by themselves.
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event("visibilitychange"));`,
      );
    await hide(true);
    for (const description of ["olive", "basil", "caper"]) await server.flock.publish(Idea({ description }));
    await server.flock.runUntilIdle();
    await using other = await browser.open(`${server.url}/events`);
    await other.page.getByText(`${server.flock.stats().head} events`).waitFor();
    expect(await page.getByText(`${before} events`).count()).toBe(1);
    await hide(false);
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
  });
});

describe("a browser without shared workers", () => {
  it("shows the same, by a connection of its own", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await page.addInitScript("delete globalThis.SharedWorker");
    await page.goto(`${server.url}/events`);
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
  });
});

describe("a log longer than what comes at once", () => {
  it("is there as soon as its newest part is, and then all of it, counted as the server counts", async () => {
    const flock = pizzeria();
    await using server = await startServer({ flock, components: [], dashboard: true });
    for (let index = 0; index < 1_800; index++) await flock.publish(Idea({ description: `idea ${index}` }));
    await flock.runUntilIdle();
    expect(flock.stats().head).toBeGreaterThan(10_000);
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page
      .getByRole("row", { name: /pizza_master/ })
      .getByRole("cell", { name: "1800" })
      // As many a minute, while that minute lasts.
      .first()
      .waitFor();
    const bar = page.getByRole("slider", { name: "Seq" });
    await expect.poll(() => bar.getAttribute("min"), { timeout: 15_000 }).toBe("1");
    await page
      .getByRole("row", { name: /pizza_master/ })
      .getByRole("cell", { name: "1800" })
      .first()
      .waitFor();
    await bar.press("Home");
    // The row that stood there stands until the next frame.
    await expect.poll(() => page.getByRole("cell", { name: "1800" }).count()).toBe(0);
    await page
      .getByText("No agents yet")
      .or(page.getByRole("row", { name: /pizza_master/ }))
      .first()
      .waitFor();
  });
});

describe("an artifact can be published by a form that follows its schema", () => {
  it("what is missing is said at the field; what is right is published and leads to the artifact", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/publish/Idea`);
    const { page } = opened;
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await page.getByText("is required", { exact: true }).waitFor();
    await page.getByLabel("description").fill("basil");
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await page.getByText("pizza_master will run").waitFor();
    await page.getByRole("link", { name: "Show the artifact" }).click();
    await page.getByText('"basil"').waitFor();
    await server.flock.runUntilIdle();
    expect(server.flock.stats().runs.success).toBe(2);
  });
});

describe("the connection is never a guess", () => {
  it("the dashboard says that the server is gone, comes back by itself, and has missed nothing", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/runs`);
    const { page } = opened;
    await page.getByRole("status").getByText("Live").waitFor();
    const { port } = server.server;
    await server.server.close();
    await page
      .getByRole("status")
      .getByText(/Offline since \d\d:\d\d, showing seq \d+/)
      .waitFor();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await server.flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
    await page.getByRole("status").getByText("Live").waitFor();
    await page.getByText("Thinking about olive").waitFor();
    expect(await page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem").count()).toBe(3);
  });
});

describe("Health", () => {
  it("shows who is connected, what each reads, and which of them is this browser", async () => {
    await using server = await servedPizzeria();
    const other = await server.connect("/plugin/ws?agents=pizza_master");
    await using opened = await browser.open(`${server.url}/system`);
    const rows = opened.page.getByRole("region", { name: "Connections" }).getByRole("row");
    await rows.filter({ hasText: "this browser" }).filter({ hasText: "everything" }).waitFor();
    await rows.filter({ hasText: "of pizza_master" }).filter({ hasText: "0 events" }).waitFor();
    await other.close();
    await rows.filter({ hasText: "of pizza_master" }).waitFor({ state: "detached" });
  });
});

describe("Health shows what it knows at once", () => {
  it("each figure after the first answer, and nothing moves when it comes", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    const first = Promise.withResolvers<void>();
    let asked = 0;
    await page.route("**/metrics", async (route) => {
      asked += 1;
      // Only the first is answered: a rate needs two.
      if (asked > 1) return;
      await first.promise;
      await route.continue();
    });
    await page.goto(`${server.url}/system`);
    await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "This page" }).waitFor();
    const memory = page.getByRole("figure").filter({ hasText: "Memory, MB" });
    await memory.getByText("–").waitFor();
    const placesOf = () =>
      page
        .locator("#content :is(h2, h3, figure)")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
    const before = await placesOf();
    first.resolve();
    await memory.getByText(/^\d+$/).waitFor();
    await page.getByRole("region", { name: "Connections" }).waitFor();
    expect((await placesOf()).slice(0, before.length)).toEqual(before);
    await page.getByRole("figure").filter({ hasText: "Events a second" }).getByText("–").waitFor();
  });
});

describe("everyone can use it", () => {
  it.for([
    ["light", 1440],
    ["light", 390],
    ["dark", 1440],
    ["dark", 390],
  ] as const)("no serious accessibility problem on any screen, %s, %i px wide", async ([scheme, width]) => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 844 });
    for (const screen of SCREENS) {
      await page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
      await page.getByRole("status").getByText("Live").waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${screen} ${width}: ${id} ${nodes[0]?.html}`)).toEqual([]);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(overflow, `${screen} at ${width} px`).toBeLessThanOrEqual(0);
    }
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(scheme);
  });
});
