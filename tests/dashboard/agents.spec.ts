import type { Page } from "@playwright/test";
import { artifact } from "flock-ts";
import { z } from "zod";
import { Idea, Pizza, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";
import { stillValue } from "./stillness.ts";

const Order = artifact("Order", z.object({ table: z.number() }));

test.describe("agent panel", () => {
  test("shows what the gate has, what it waits for, and past runs", async ({ page }) => {
    const flock = pizzeria();
    flock
      .agent("waiter")
      .description("Serves a pizza to the guest who ordered it")
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
    await expect(panel.getByText("Waiting for Order")).toBeVisible();
    await expect(panel.getByText("Pizza 1/1, Order 0/1")).toBeVisible();
    await expect(panel.getByText("No runs yet.")).toBeVisible();
    await flock.publish(Order({ table: 4 }));
    await flock.runUntilIdle();
    await expect(panel.getByText("Nothing collected yet")).toBeVisible();
    await panel.getByRole("link", { name: "All runs" }).click();
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
    const placed = await page.evaluate("localStorage.getItem('flock-node-positions')");
    await page.reload();
    await expect(box).toBeVisible();
    expect(await page.evaluate("localStorage.getItem('flock-node-positions')")).toBe(placed);
  });
});

/** Waits until the boxes of the graph are visible and do not move. */
async function whenStill(page: Page): Promise<void> {
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
    await whenStill(page);
    const graph = await page.getByRole("region", { name: "Flow between agents" }).boundingBox();
    const corner = { x: (graph?.x ?? 0) + 500, y: (graph?.y ?? 0) + (graph?.height ?? 0) - 80 };
    const first = await placeOf();
    await page.mouse.click(corner.x, corner.y);
    expect(await placeOf()).toEqual(first);

    await page.getByRole("button", { name: "Move boxes without dragging" }).click();
    await expect(page.getByRole("status").getByText("Select a box, then click its new position")).toBeVisible();
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

    const kept = await page.evaluate("localStorage.getItem('flock-node-positions')");
    await page.reload();
    await whenStill(page);
    const outside = await page.locator(".react-flow__node", { hasText: "external" }).boundingBox();
    expect((await placeOf())?.y).toBeGreaterThan((outside?.y ?? 0) + 50);
    expect(await page.evaluate("localStorage.getItem('flock-node-positions')")).toBe(kept);
  });
});
