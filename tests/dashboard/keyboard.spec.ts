import type { Page } from "@playwright/test";
import { Idea, Pizza, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

/** Tab stops within which every target is reachable. */
const MOST_STOPS = 60;

/** Returns the tag and accessible name of the focused element. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const element = document.activeElement;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return element.tagName.toLowerCase() + " " + label.trim().replace(/\\s+/g, " ");
  })()`);
}

/** Presses Tab until the focused element matches. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<void> {
  const passed: string[] = [];
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    await page.keyboard.press(key);
    const now = await focused(page);
    if (name.test(now)) return;
    passed.push(now);
  }
  throw new Error(`${key} never came to ${name}; it came by:\n${passed.join("\n")}`);
}

async function goTo(page: Page, screenKey: string): Promise<void> {
  await page.keyboard.press("g");
  await page.keyboard.press(screenKey);
}

test.describe("keyboard-only use", () => {
  test("leads from a failing agent to its run, its input, and a changed copy published again", async ({
    page,
    errors,
  }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("complementary", { name: "Agent pizza_master" })).toBeVisible();
    await tabTo(page, /^a .*error$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alert").getByText("RangeError: not on my pizza")).toBeVisible();
    await tabTo(page, /^a Idea$/);
    await page.keyboard.press("Enter");
    await expect(page.getByText('"pineapple"')).toBeVisible();
    await tabTo(page, /^a Publish again with changes$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "Publish Idea" })).toBeVisible();
    await tabTo(page, /^textarea description/);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("olives");
    await tabTo(page, /^button Publish Idea$/);
    await page.keyboard.press("Enter");
    await expect(page.getByText("Published.")).toBeVisible();
    await tabTo(page, /^a Show artifact$/);
    await page.keyboard.press("Enter");
    await expect(page.getByText('"olives"')).toBeVisible();
    expect(errors).toEqual([]);
  });

  test("filters the log, moves through it, opens and closes an event", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await goTo(page, "e");
    await expect(page.getByLabel("Search events")).toBeVisible();
    await page.keyboard.press("/");
    await page.keyboard.type("pineapple");
    await expect(page.getByText("2 events")).toBeVisible();
    await tabTo(page, /^summary Event type$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /^input artifact_published$/);
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("summary Event type");
    await expect(page.getByText("1 event")).toBeVisible();
    await tabTo(page, /^button Show all$/);
    await page.keyboard.press("Enter");
    await expect(page.getByText(`${server.flock.stats().head} events`)).toBeVisible();
    await tabTo(page, /^div Events$/);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await expect(page.getByRole("region", { name: `Event ${server.flock.stats().head - 1}` })).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("region", { name: /^Event \d/ })).toHaveCount(0);
    expect(await focused(page)).toBe("div Events");
  });

  test("compares two artifacts and moves through the comparison", async ({ page }) => {
    await using server = await servedPizzeria();
    const pizza = (toppings: string[]) => ({ artifact_type: "Pizza", payload: { name: "Both", toppings } });
    for (const toppings of [
      ["basil", "oil"],
      ["basil", "ham"],
    ])
      await fetch(`${server.url}/api/plugin/publish`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(pizza(toppings)),
      });
    await page.goto(`${server.url}/blackboard?type=Pizza`);
    await expect(page.getByText("3 artifacts")).toBeVisible();
    await tabTo(page, /^a Pizza$/);
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await tabTo(page, /^select Compare with/);
    await page.keyboard.press("ArrowDown");
    await expect(page.getByText("1 change", { exact: true })).toBeVisible();
    await tabTo(page, /^div .*, this artifact$/);
    const comparison = page.getByRole("region", { name: "Comparison" });
    const selected = comparison.locator("[role=treeitem][aria-selected=true]");
    expect(await selected.textContent()).toMatch(/name:/);
    await page.keyboard.press("ArrowDown");
    await expect(selected).toHaveText(/toppings:/);
    const rows = await comparison.getByRole("treeitem").count();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => comparison.getByRole("treeitem").count()).toBeLessThan(rows);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect(selected).toHaveText(/basil/);
  });

  test("arrows move through the waterfall, Enter opens a run", async ({ page }) => {
    const flock = pizzeria();
    flock
      .agent("waiter")
      .consumes(Pizza)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/runs?agent=pizza_master`);
    await expect(page.getByRole("list", { name: "Runs of this workflow" })).toBeVisible();
    await tabTo(page, /^a pizza_master, success/);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toMatch(/^a waiter, success/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("article", { name: "Run of waiter" })).toBeVisible();
  });

  test("typing the start of a name selects that payload row", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/blackboard?type=Pizza`);
    await tabTo(page, /^a Pizza$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("tree", { name: "Payload" })).toBeVisible();
    await tabTo(page, /^div Payload$/);
    await page.keyboard.type("to");
    await expect(page.getByLabel("Path", { exact: true })).toHaveText("$.toppings");
  });

  test("the first tab stop skips to the content", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("a Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("content");
  });
});

test.describe("keyboard focus", () => {
  for (const [what, screen, width] of [
    ["runs", "runs", 1440],
    ["artifacts", "blackboard", 1440],
    ["runs", "runs", 390],
  ] as const)
    test(`stays on its row in the list of ${what} while new rows push it down, at ${width} px`, async ({ page }) => {
      await using server = await servedPizzeria();
      for (let n = 0; n < 20; n++) await server.flock.publish(Idea({ description: `before ${n}` }));
      await server.flock.runUntilIdle();
      await page.setViewportSize({ width, height: 700 });
      await page.goto(`${server.url}/${screen}`);
      await expect(page.locator("[data-row]").first()).toBeVisible();
      await tabTo(page, /^a (Pizza|Idea|pizza_master)/);
      for (let n = 0; n < 3; n++) await page.keyboard.press("ArrowDown");
      const place = () =>
        page.evaluate(
          "[document.activeElement.closest('[data-row]')?.dataset.row, document.activeElement.getBoundingClientRect().top]",
        ) as Promise<[string, number]>;
      const [row, top] = await place();
      expect(row).toBeTruthy();
      for (let n = 0; n < 80; n++) await server.flock.publish(Idea({ description: `after ${n}` }));
      await server.flock.runUntilIdle();
      await expect(page.getByText(screen === "runs" ? "102 runs" : "203 artifacts")).toBeVisible();
      const [rowNow, topNow] = await place();
      expect(rowNow).toBe(row);
      expect(Math.abs(topNow - top)).toBeLessThan(2);
      await page.keyboard.press("ArrowDown");
      await expect.poll(async () => (await place())[0]).not.toBe(row);
    });

  test("returns to the previous stop when a panel closes, and moves to the content of a new screen", async ({
    page,
  }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /^button Close$/);
    await page.keyboard.press("Enter");
    // The last tab stop before the panel that still exists.
    await expect.poll(() => focused(page)).toMatch(/^(a|button) .*pizza_master$/);
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("complementary", { name: "Agent pizza_master" })).toBeVisible();
    await tabTo(page, /^a .*success$/);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
  });
});
