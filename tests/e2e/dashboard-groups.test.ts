import { AxeBuilder } from "@axe-core/playwright";
import { artifact, Flock } from "flock-ts";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

const Review = artifact("Review", z.object({ stars: z.number() }));

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** 400 agents of three kinds, and one that is like no other. */
async function crowd() {
  const flock = new Flock();
  for (let index = 0; index < 390; index++) {
    flock
      .agent(`cook_${index}`)
      .consumes(Idea)
      .publishes(Pizza)
      .run(() => Pizza({ name: "Pizza", toppings: [] }));
  }
  for (let index = 0; index < 9; index++) {
    flock
      .agent(`critic_${index}`)
      .consumes(Pizza)
      .publishes(Review)
      .run(({ Pizza: { name } }) => {
        if (name === "burnt") throw new RangeError("nobody can eat this");
        return Review({ stars: index % 5 });
      });
  }
  flock
    .agent("owner_of_the_place")
    .consumes(Review)
    .run(() => undefined);
  return startServer({ flock, components: [], dashboard: true });
}

const nodes = (page: Page) => page.locator(".react-flow__node");
const group = (page: Page, count: number) => page.getByRole("button", { name: `${count} agents`, exact: true });

/** Where the picture has what is in it, however it is zoomed; and how it is zoomed. */
function placesOf(page: Page): Promise<Record<string, string>> {
  return page.evaluate(`Object.fromEntries([
    ...[...document.querySelectorAll(".react-flow__node")].map((node) => [node.dataset.id, node.style.transform]),
    ["camera", document.querySelector(".react-flow__viewport").style.transform],
  ])`) as Promise<Record<string, string>>;
}

/** Waits until nothing moves any more. */
const FRAMES =
  "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 100))))";

async function still(page: Page, there: Locator): Promise<Record<string, string>> {
  await there.first().waitFor();
  let before = {};
  await expect
    .poll(async () => {
      // On a busy machine two looks may come before the frame in which the picture moves.
      await page.evaluate(FRAMES);
      const now = await placesOf(page);
      const isStill = JSON.stringify(now) === JSON.stringify(before);
      before = now;
      return isStill;
    })
    .toBe(true);
  return before;
}

describe("above some 300 agents, those that read and write the same are one, and can be looked into", () => {
  it("by click and by keyboard; what was there stays where it was, and the camera too", async () => {
    await using server = await crowd();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    // Large enough for all of it: to click what is cut off, a test would scroll the picture, which it does not allow.
    await page.setViewportSize({ width: 1900, height: 1200 });
    await page.goto(server.url);
    const closed = await still(page, group(page, 390));
    expect(await nodes(page).count()).toBe(4);
    expect(await group(page, 9).getAttribute("aria-expanded")).toBe("false");

    await group(page, 9).focus();
    await page.keyboard.press("Enter");
    const frame = page.getByRole("region", { name: "9 agents that read Pizza and write Review" });
    const open = await still(page, frame);
    expect(open).toMatchObject(closed);
    expect(await nodes(page).count()).toBe(4 + 1 + 9);
    expect(await group(page, 9).getAttribute("aria-expanded")).toBe("true");
    await page.waitForURL(/\?open=critic_0/);

    // Who is looked at is marked within the group; to look moves nothing.
    const critic = nodes(page).filter({ has: page.getByRole("link", { name: "critic_4", exact: true }) });
    await critic.getByRole("link").click();
    await page.getByRole("complementary", { name: "Agent critic_4" }).waitFor();
    await page.waitForURL(/\/agents\/critic_4\?open=critic_0/);
    await expect.poll(() => critic.locator("div").first().getAttribute("class")).toContain("outline-2");
    expect(await placesOf(page)).toEqual(open);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.waitForURL(/\/agents\?open=critic_0/);

    // A link opens the same.
    await using other = await browser.open(page.url());
    await other.page.getByRole("region", { name: "9 agents that read Pizza and write Review" }).waitFor();
    await expect.poll(() => nodes(other.page).count()).toBe(4 + 1 + 9);

    await page.getByRole("button", { name: "Show the 9 agents as one again" }).press("Enter");
    await frame.waitFor({ state: "detached" });
    await page.waitForURL((url) => !url.searchParams.has("open"));
    expect(await still(page, group(page, 9))).toEqual(closed);
    expect(opened.errors).toEqual([]);
  });

  it("says in words how many of them are paused, and how many fail", async () => {
    await using server = await crowd();
    const { flock } = server;
    await flock.pause("cook_7");
    await flock.pause("cook_8");
    await flock.publish(Pizza({ name: "burnt", toppings: [] }));
    await flock.runUntilIdle();
    await using opened = await browser.open(server.url);
    const { page } = opened;
    const box = (count: number) => nodes(page).filter({ has: group(page, count) });
    await box(390).getByText("2 paused", { exact: true }).waitFor();
    await box(9).getByText("9 failing", { exact: true }).waitFor();
    // From far away, by shapes.
    while ((await box(390).getByText("2 paused").count()) > 0) {
      await page.getByRole("button", { name: "Zoom Out" }).click();
      await page.waitForTimeout(100);
    }
    await box(390).getByRole("img", { name: "paused" }).waitFor();
    await box(9).getByRole("img", { name: "error" }).waitFor();
  });

  it("what a person has moved stays moved: a group, its frame and an agent in it, over closing and loading", async () => {
    await using server = await crowd();
    await using opened = await browser.open(`${server.url}/agents?open=critic_0`);
    const { page } = opened;
    const frame = page.locator(".react-flow__node-frame");
    const critic = nodes(page).filter({ has: page.getByRole("link", { name: "critic_4", exact: true }) });
    await still(page, critic);
    const drag = async (what: Locator, dx: number, dy: number) => {
      const box = await what.boundingBox();
      if (!box) throw new Error("it is not on the screen");
      // By its lower edge: above are names and buttons.
      await page.mouse.move(box.x + box.width - 3, box.y + box.height - 3);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 3 + dx, box.y + box.height - 3 + dy, { steps: 6 });
      await page.mouse.up();
    };
    const before = await placesOf(page);
    // Not towards the border: there the picture is pulled along.
    await drag(frame, -12, 20);
    await drag(critic, 4, 9);
    const moved = await placesOf(page);
    const changed = Object.keys(moved).filter((id) => moved[id] !== before[id]);
    // Those in the frame go with it.
    expect(changed).toEqual(expect.arrayContaining(["members of critic_0", "critic_0", "critic_4", "critic_8"]));
    expect(changed).not.toContain("camera");
    expect(changed).not.toContain("group critic_0");
    await group(page, 9).click();
    await frame.waitFor({ state: "detached" });
    await group(page, 9).click();
    expect(await still(page, critic)).toEqual(moved);
    await page.reload();
    const { camera: _, ...loaded } = await still(page, critic);
    const { camera: __, ...wanted } = moved;
    expect(loaded).toEqual(wanted);
  });

  it("a group of hundreds, too, and nothing of it is inaccessible, light and dark", async () => {
    await using server = await crowd();
    await using opened = await browser.open(`${server.url}/agents?open=critic_0`);
    const { page } = opened;
    await page.getByRole("region", { name: "9 agents that read Pizza and write Review" }).waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).include('[aria-label="Flow between agents"]').analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes: [first] }) => `${id} ${first?.html}`)).toEqual([]);
    }
    const before = await placesOf(page);
    await group(page, 390).click();
    const opens = page.getByRole("region", { name: "390 agents that read Idea and write Pizza" });
    expect(await still(page, opens)).toMatchObject(before);
    await page.waitForURL(/open=critic_0(,|%2C)cook_0/);
    expect(opened.errors).toEqual([]);
  });
});
