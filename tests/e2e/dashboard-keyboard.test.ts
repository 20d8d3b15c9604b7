import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, Pizza, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** So many stops lead anywhere: who needs more has no keyboard access in earnest. */
const MOST_STOPS = 60;

/** What has the focus, as a screen reader would begin to tell it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const element = document.activeElement;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return element.tagName.toLowerCase() + " " + label.trim().replace(/\\s+/g, " ");
  })()`);
}

/** Presses Tab until what has the focus is called so. */
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

describe("by keyboard alone", () => {
  it("from an agent that fails to its run, the error, what it had read, and the same published again with changes", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Agent pizza_master" }).waitFor();
    await tabTo(page, /^a .*error$/);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("RangeError: not on my pizza").waitFor();
    await tabTo(page, /^a Idea$/);
    await page.keyboard.press("Enter");
    await page.getByText('"pineapple"').waitFor();
    await tabTo(page, /^a Publish again with changes$/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Publish Idea" }).waitFor();
    await tabTo(page, /^textarea description/);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("olives");
    await tabTo(page, /^button Publish Idea$/);
    await page.keyboard.press("Enter");
    await page.getByText("Published.").waitFor();
    await tabTo(page, /^a Show the artifact$/);
    await page.keyboard.press("Enter");
    await page.getByText('"olives"').waitFor();
    expect(opened.errors).toEqual([]);
  });

  it("the log is narrowed, walked, and an event opened and closed", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await goTo(page, "e");
    await page.getByLabel("Search events").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("pineapple");
    await page.getByText("2 events").waitFor();
    await tabTo(page, /^summary Event type$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /^input artifact_published$/);
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("summary Event type");
    await page.getByText("1 event").waitFor();
    await tabTo(page, /^button Show all$/);
    await page.keyboard.press("Enter");
    await page.getByText(`${server.flock.stats().head} events`).waitFor();
    await tabTo(page, /^div Events$/);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.getByRole("region", { name: `Event ${server.flock.stats().head - 1}` }).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("region", { name: /^Event \d/ }).count()).toBe(0);
    expect(await focused(page)).toBe("div Events");
  });

  it("two artifacts are compared, and their comparison is walked", async () => {
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
    await using opened = await browser.open(`${server.url}/blackboard?type=Pizza`);
    const { page } = opened;
    await page.getByText("3 artifacts").waitFor();
    await tabTo(page, /^a Pizza$/);
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await tabTo(page, /^select Compare with/);
    await page.keyboard.press("ArrowDown");
    await page.getByText("1 change", { exact: true }).waitFor();
    await tabTo(page, /^div .*, this one$/);
    const comparison = page.getByRole("region", { name: "Comparison" });
    const selected = comparison.locator("[role=treeitem][aria-selected=true]");
    expect(await selected.textContent()).toMatch(/name:/);
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => selected.textContent()).toMatch(/toppings:/);
    const rows = await comparison.getByRole("treeitem").count();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => comparison.getByRole("treeitem").count()).toBeLessThan(rows);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => selected.textContent()).toMatch(/basil/);
  });

  it("the waterfall is one list: arrows move in it, Enter opens a run of it", async () => {
    const flock = pizzeria();
    flock
      .agent("waiter")
      .consumes(Pizza)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    await using opened = await browser.open(`${server.url}/runs?agent=pizza_master`);
    const { page } = opened;
    await page.getByRole("list", { name: "Runs of this workflow" }).waitFor();
    await tabTo(page, /^a pizza_master, success/);
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toMatch(/^a waiter, success/);
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: "Run of waiter" }).waitFor();
  });

  it("a row of a payload is found by typing how its name begins", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(`${server.url}/blackboard?type=Pizza`);
    const { page } = opened;
    await tabTo(page, /^a Pizza$/);
    await page.keyboard.press("Enter");
    await page.getByRole("tree", { name: "Payload" }).waitFor();
    await tabTo(page, /^div Payload$/);
    await page.keyboard.type("to");
    await expect.poll(() => page.getByLabel("Path", { exact: true }).textContent()).toBe("$.toppings");
  });

  it("the first stop of a page skips to its content", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("a Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("content");
  });
});

describe("the focus is never lost", () => {
  it.for([
    ["runs", "runs", 1440],
    ["artifacts", "blackboard", 1440],
    ["runs", "runs", 390],
  ] as const)("in the list of %s, while what is new pushes its row down (%s, %i px)", async ([, screen, width]) => {
    await using server = await servedPizzeria();
    for (let n = 0; n < 20; n++) await server.flock.publish(Idea({ description: `before ${n}` }));
    await server.flock.runUntilIdle();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await page.setViewportSize({ width, height: 700 });
    await page.goto(`${server.url}/${screen}`);
    await page.locator("[data-row]").first().waitFor();
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
    await page.getByText(screen === "runs" ? "102 runs" : "203 artifacts").waitFor();
    const [rowNow, topNow] = await place();
    expect(rowNow).toBe(row);
    expect(Math.abs(topNow - top)).toBeLessThan(2);
    await page.keyboard.press("ArrowDown");
    await expect.poll(async () => (await place())[0]).not.toBe(row);
  });

  it("when what had it is closed, it is where it was before; on another screen, at its content", async () => {
    await using server = await servedPizzeria();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await page.getByRole("row", { name: /pizza_master/ }).waitFor();
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await tabTo(page, /^button Close$/);
    await page.keyboard.press("Enter");
    // The last stop before the panel that is still there.
    await expect.poll(() => focused(page)).toMatch(/^(a|button) .*pizza_master$/);
    await tabTo(page, /^a pizza_master$/);
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Agent pizza_master" }).waitFor();
    await tabTo(page, /^a .*success$/);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("content");
  });
});
