import { AxeBuilder } from "@axe-core/playwright";
import { WebSocketServerComponent } from "flock/components/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const SCREENS = ["Agents", "Runs", "Artifacts", "Events", "Publish"];

/** A pizzeria with its dashboard, where one pizza was made and one refused. */
async function served() {
  const server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
  await server.flock.publish(Idea({ description: "truffle" }));
  await server.flock.publish(Idea({ description: "pineapple" }));
  await server.flock.runUntilIdle();
  return server;
}

describe("the dashboard shows what is and what was", () => {
  it("agents as a graph and a table, with status and counters", async () => {
    await using server = await served();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    const row = page.getByRole("row", { name: /pizza_master/ });
    await row.waitFor();
    expect(await row.getByRole("cell").allTextContents()).toEqual(expect.arrayContaining(["Idea", "Pizza", "2", "1"]));
    await page.locator(".react-flow__node", { hasText: "pizza_master" }).getByText("1 failed").waitFor();
    expect(await page.locator(".react-flow__node").count()).toBe(2);
  });

  it("runs with their output and errors, and the way from an artifact to its run and back", async () => {
    await using server = await served();
    await using opened = await browser.open(`${server.url}/runs`);
    const { page } = opened;
    await page.getByRole("link", { name: /error/ }).click();
    await page.getByText("RangeError: not on my pizza").waitFor();
    await page.getByRole("link", { name: /success/ }).click();
    await page.getByText("Thinking about truffle").waitFor();
    await page.getByRole("article").getByRole("link", { name: "Pizza", exact: true }).click();
    await page.getByText('"Pizza with truffle"').waitFor();
    await page.getByRole("article").getByRole("link", { name: "pizza_master" }).click();
    await page.getByText("Thinking about truffle").waitFor();
  });

  it("every event, by type and by text", async () => {
    await using server = await served();
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    const rows = page.getByRole("log").locator(":scope > div > div");
    await page.getByLabel("Event type").selectOption("artifact_published");
    await page.getByText("3 events").waitFor();
    expect(await rows.count()).toBe(3);
    await page.getByLabel("Search events").fill("truffle");
    await page.getByText("2 events").waitFor();
  });

  it("nothing breaks while nothing is there yet", async () => {
    await using server = await startServer({ components: [], dashboard: true });
    for (const screen of SCREENS) {
      await using opened = await browser.open(`${server.url}/${screen.toLowerCase()}`);
      await opened.page.getByRole("status").getByText("Live").waitFor();
      expect(opened.errors).toEqual([]);
    }
  });
});

describe("an artifact can be published by a form that follows its schema", () => {
  it("what is missing is said at the field; what is right is published and leads to the artifact", async () => {
    await using server = await served();
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
    await using server = await served();
    await using opened = await browser.open(`${server.url}/runs`);
    const { page } = opened;
    await page.getByRole("status").getByText("Live").waitFor();
    const { port } = server.server;
    await server.server.close();
    await page
      .getByRole("status")
      .getByText(/Reconnecting|Connecting/)
      .waitFor();
    await server.flock.publish(Idea({ description: "olive" }));
    await server.flock.runUntilIdle();
    await server.flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
    await page.getByRole("status").getByText("Live").waitFor();
    await page.getByText("Thinking about olive").waitFor();
    expect(await page.getByRole("listitem").filter({ hasText: "pizza_master" }).count()).toBe(3);
  });
});

describe("everyone can use it", () => {
  it.for(["light", "dark"] as const)(
    "no serious accessibility problem on any screen, %s, wide and narrow",
    async (scheme) => {
      await using server = await served();
      await using opened = await browser.open(server.url);
      const { page } = opened;
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        for (const screen of SCREENS) {
          await page.getByRole("link", { name: screen, exact: true }).click();
          await page.getByRole("status").getByText("Live").waitFor();
          const { violations } = await new AxeBuilder({ page }).analyze();
          const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
          expect(serious.map(({ id, nodes }) => `${screen} ${width}: ${id} ${nodes[0]?.html}`)).toEqual([]);
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(overflow, `${screen} at ${width} px`).toBeLessThanOrEqual(0);
        }
      }
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(scheme);
    },
  );
});
