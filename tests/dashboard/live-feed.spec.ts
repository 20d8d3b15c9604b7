import { WebSocketServerComponent } from "flock-ts/components/server";
import { Idea, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

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

test.describe("returning visitors", () => {
  test("see a summary since the last visit and the first failure", async ({ page }) => {
    await using server = await servedPizzeria();
    const { epoch } = (await (await server.get("/plugin/events?limit=1")).json()) as { epoch: string };
    const seen = JSON.stringify({ epoch, seq: 0, at: 0 });
    await page.addInitScript(`localStorage.setItem("flock-seen", ${JSON.stringify(seen)})`);
    await page.goto(server.url);
    await expect(page.getByText("While you were away: 1 run failed, 1 run completed, 3 artifacts.")).toBeVisible();
    await page.getByRole("button", { name: "Show first failure" }).click();
    await page.waitForURL(/\/events\?seq=\d+/);
  });
});

test.describe("a log longer than the first chunk", () => {
  test("shows its newest part first, then all of it, with the server's counts", async ({ page }) => {
    const flock = pizzeria();
    await using server = await startServer({ flock, components: [], dashboard: true });
    // One by one, since the artifacts of one call share a workflow, which may have 1,000 runs.
    for (let index = 0; index < 1_800; index++) await flock.publish(Idea({ description: `idea ${index}` }));
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
