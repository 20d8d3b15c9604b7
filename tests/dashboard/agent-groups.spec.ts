import type { Locator, Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";
import { stillValue } from "./stillness.ts";

const Review = artifact("Review", z.object({ stars: z.number() }));

/** Serves 400 agents: 390 cooks, 9 critics and one agent unlike all others. */
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
        if (name === "burnt") throw new RangeError("inedible");
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

/** Returns the position of each node in graph coordinates, and the camera's transform. */
function placesOf(page: Page): Promise<Record<string, string>> {
  return page.evaluate(PLACES);
}

const PLACES = `Object.fromEntries([
  ...[...document.querySelectorAll(".react-flow__node")].map((node) => [node.dataset.id, node.style.transform]),
  ["camera", document.querySelector(".react-flow__viewport").style.transform],
])`;

/** Waits until an element is visible and nothing moves. Returns the same as `placesOf`. */
async function still(page: Page, there: Locator): Promise<Record<string, string>> {
  await expect(there.first()).toBeVisible();
  return stillValue(page, PLACES);
}

test.describe("grouping of agents with the same inputs and outputs in large graphs", () => {
  test("a group opens and closes by click and by keyboard without moving other nodes or the camera", async ({
    page,
    errors,
    openPage,
  }) => {
    await using server = await crowd();
    // `critic_3` stays in view. Playwright scrolls clipped nodes into view, which the graph does not allow.
    await page.setViewportSize({ width: 1900, height: 1200 });
    await page.goto(server.url);
    const closed = await still(page, group(page, 390));
    expect(await nodes(page).count()).toBe(4);
    expect(await group(page, 9).getAttribute("aria-expanded")).toBe("false");

    await group(page, 9).focus();
    await page.keyboard.press("Enter");
    const frame = page.getByRole("region", { name: "9 agents that consume Pizza and publish Review" });
    const opened = await still(page, frame);
    expect(opened).toMatchObject(closed);
    expect(await nodes(page).count()).toBe(4 + 1 + 9);
    expect(await group(page, 9).getAttribute("aria-expanded")).toBe("true");
    await page.waitForURL(/\?open=critic_0/);

    // Selecting an agent outlines it within the group and moves nothing.
    const critic = nodes(page).filter({ has: page.getByRole("link", { name: "critic_3", exact: true }) });
    await critic.getByRole("link").click();
    await expect(page.getByRole("complementary", { name: "Agent critic_3" })).toBeVisible();
    await page.waitForURL(/\/agents\/critic_3\?open=critic_0/);
    await expect(critic.locator("div").first()).toHaveClass(/outline-2/);
    expect(await placesOf(page)).toEqual(opened);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.waitForURL(/\/agents\?open=critic_0/);

    // The URL opens the same group.
    const other = await openPage(page.url());
    await expect(
      other.page.getByRole("region", { name: "9 agents that consume Pizza and publish Review" }),
    ).toBeVisible();
    await expect(nodes(other.page)).toHaveCount(4 + 1 + 9);

    await page.getByRole("button", { name: "Collapse 9 agents" }).press("Enter");
    await expect(frame).toHaveCount(0);
    await page.waitForURL((url) => !url.searchParams.has("open"));
    expect(await still(page, group(page, 9))).toEqual(closed);
    expect(errors).toEqual([]);
  });

  test("a group shows how many of its agents are paused or failing", async ({ page }) => {
    await using server = await crowd();
    const { flock } = server;
    await flock.pause("cook_7");
    await flock.pause("cook_8");
    await flock.publish(Pizza({ name: "burnt", toppings: [] }));
    await flock.runUntilIdle();
    await page.goto(server.url);
    const box = (count: number) => nodes(page).filter({ has: group(page, count) });
    await expect(box(390).getByText("2 paused", { exact: true })).toBeVisible();
    await expect(box(9).getByText("9 failing", { exact: true })).toBeVisible();
    // Zoomed out, icons replace the text.
    while ((await box(390).getByText("2 paused").count()) > 0) {
      const { camera } = await placesOf(page);
      await page.getByRole("button", { name: "Zoom Out" }).click();
      await expect.poll(async () => (await placesOf(page)).camera).not.toBe(camera);
      await stillValue(page, PLACES);
    }
    await expect(box(390).getByRole("img", { name: "paused" })).toBeVisible();
    await expect(box(9).getByRole("img", { name: "error" })).toBeVisible();
  });

  test("a moved group, its frame and its agents keep their positions after closing and reloading", async ({ page }) => {
    await using server = await crowd();
    await page.goto(`${server.url}/agents?open=critic_0`);
    const frame = page.locator(".react-flow__node-frame");
    const critic = nodes(page).filter({ has: page.getByRole("link", { name: "critic_4", exact: true }) });
    await still(page, critic);
    const drag = async (what: Locator, dx: number, dy: number) => {
      const box = await what.boundingBox();
      if (!box) throw new Error("it is not on the screen");
      // Drag the lower right corner. Names and buttons cover the rest.
      await page.mouse.move(box.x + box.width - 3, box.y + box.height - 3);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 3 + dx, box.y + box.height - 3 + dy, { steps: 6 });
      await page.mouse.up();
    };
    const before = await placesOf(page);
    // Stay away from the border, where dragging pans the graph.
    await drag(frame, -12, 20);
    await drag(critic, 4, 9);
    const moved = await placesOf(page);
    const changed = Object.keys(moved).filter((id) => moved[id] !== before[id]);
    // Agents inside the frame move with it.
    expect(changed).toEqual(expect.arrayContaining(["members of critic_0", "critic_0", "critic_4", "critic_8"]));
    expect(changed).not.toContain("camera");
    expect(changed).not.toContain("group critic_0");
    await group(page, 9).click();
    await expect(frame).toHaveCount(0);
    await group(page, 9).click();
    expect(await still(page, critic)).toEqual(moved);
    await page.reload();
    const { camera: _, ...loaded } = await still(page, critic);
    const { camera: __, ...wanted } = moved;
    expect(loaded).toEqual(wanted);
  });

  test("a group of 390 agents opens, and axe reports nothing serious in both themes", async ({ page, errors }) => {
    await using server = await crowd();
    await page.goto(`${server.url}/agents?open=critic_0`);
    await expect(page.getByRole("region", { name: "9 agents that consume Pizza and publish Review" })).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await seriousViolationsOf(page, '[aria-label="Flow between agents"]')).toEqual([]);
    }
    const before = await placesOf(page);
    await group(page, 390).click();
    const opens = page.getByRole("region", { name: "390 agents that consume Idea and publish Pizza" });
    expect(await still(page, opens)).toMatchObject(before);
    await page.waitForURL(/open=critic_0(,|%2C)cook_0/);
    expect(errors).toEqual([]);
  });
});
