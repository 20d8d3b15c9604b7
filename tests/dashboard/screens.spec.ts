import { servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

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
      if (screen === "Health") await expect(page.getByText("None: no events yet.")).toBeVisible();
      expect(errors).toEqual([]);
    }
  });

  test("Health reports unknown state as unknown until the server answers", async ({ page }) => {
    await using server = await servedPizzeria();
    const told = Promise.withResolvers<void>();
    await page.route("**/dashboard-config.json", (route) => told.promise.then(() => route.continue()));
    await page.goto(`${server.url}/system`);
    await expect(page.getByText("Still loading.")).toBeVisible();
    await expect(page.getByText("waiting…")).toBeVisible();
    expect(await page.getByText("no events yet").count()).toBe(0);
    told.resolve();
    await expect(page.getByText("None: every event since seq 1 is loaded.")).toBeVisible();
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
