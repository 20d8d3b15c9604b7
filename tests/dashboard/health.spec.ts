import { servedPizzeria } from "../support/pizzeria.ts";
import { expect, test } from "./fixtures.ts";

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
    const memory = page.getByRole("figure").filter({ hasText: "Memory (MB)" });
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
    await expect(page.getByRole("figure").filter({ hasText: "Events/s" }).getByText("–")).toBeVisible();
  });
});
