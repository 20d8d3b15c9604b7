import { Idea, servedPizzeria } from "../support/pizzeria.ts";
import { expect, test } from "./fixtures.ts";

test.describe("state at a past seq", () => {
  test("is reached by keys, slider and URL, and left by one key", async ({ page, openPage }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/runs`);
    const runs = page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem");
    await expect(runs.filter({ hasText: "error" })).toBeVisible();
    await page.getByRole("slider", { name: "Seq" }).press("Home");
    await expect(page.getByText("No runs yet")).toBeVisible();
    await expect(page.getByRole("button", { name: "Go live" })).toBeVisible();
    await page.keyboard.press("]");
    await expect(runs.filter({ hasText: "error" })).toBeVisible();
    await page.keyboard.press(",");
    await expect(runs.filter({ hasText: "running" })).toBeVisible();
    const seq = await page.getByRole("slider", { name: "Seq" }).inputValue();
    await page.waitForURL((url) => url.searchParams.get("seq") === seq);
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
