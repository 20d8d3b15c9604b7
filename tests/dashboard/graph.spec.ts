import { gzipSync } from "node:zlib";
import type { Locator, Page } from "@playwright/test";
import { Flock } from "flock-ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { violationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

/** Serves cooks that all consume the same idea, and one guest that consumes every pizza. */
async function kitchen(cooks: number) {
  const flock = new Flock();
  for (let index = 0; index < cooks; index++) {
    flock
      .agent(`cook_${index}`)
      .consumes(Idea)
      .publishes(Pizza)
      .run(() => Pizza({ name: "Pizza", toppings: [] }));
  }
  flock
    .agent("guest")
    .consumes(Pizza)
    .run(() => undefined);
  return startServer({ flock, components: [], dashboard: true });
}

const node = (page: Page, id: string) => page.locator(`.react-flow__node[data-id="${id}"]`);

async function boxOf(there: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await there.boundingBox();
  if (!box) throw new Error("it is not on the screen");
  return box;
}

/** Returns the graph's zoom factor. */
function zoomOf(page: Page): Promise<number> {
  const viewport = `document.querySelector(".react-flow__viewport")`;
  return page.evaluate<number>(`new DOMMatrix(getComputedStyle(${viewport}).transform).a`);
}

/** Returns the ids of the nodes that are entirely in view. */
async function inSight(page: Page): Promise<string[]> {
  return (await page.evaluate(`{
    const all = document.querySelector(".react-flow")?.getBoundingClientRect();
    [...document.querySelectorAll(".react-flow__node")].filter((node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return left >= all.left && right <= all.right && top >= all.top && bottom <= all.bottom;
    }).map((node) => node.dataset.id)
  }`)) as string[];
}

test.describe("a graph larger than the screen", () => {
  test("starts at the source with readable names, and the map and buttons reach the rest", async ({ page, errors }) => {
    await using server = await kitchen(30);
    await page.goto(server.url);
    const map = page.getByRole("img", { name: /^Graph map/ });
    await expect(map).toBeVisible();
    await expect.poll(() => inSight(page)).toContain("external");
    expect((await inSight(page)).length).toBeGreaterThan(5);
    const name = node(page, "cook_15").getByRole("link");
    expect((await boxOf(name)).height).toBeGreaterThan(13);

    // The first cook is at the map's upper end, the last at its lower end.
    const { x, y, width, height } = await boxOf(map);
    expect(await inSight(page)).not.toContain("cook_0");
    await page.mouse.click(x + width / 2, y + 12);
    await expect.poll(() => inSight(page)).toContain("cook_0");
    await page.mouse.move(x + width / 2, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + height, { steps: 6 });
    await page.mouse.up();
    await expect.poll(() => inSight(page)).toContain("cook_29");

    await page.getByRole("button", { name: "Fit View" }).click();
    await expect.poll(async () => (await inSight(page)).length).toBe(32);
    expect(errors).toEqual([]);
  });

  test("moves the focused node into view", async ({ page, errors }) => {
    await using server = await kitchen(30);
    await page.goto(server.url);
    await expect(node(page, "external")).toBeVisible();
    await expect.poll(() => inSight(page)).toContain("external");
    const zoom = await zoomOf(page);
    expect(await inSight(page)).not.toContain("cook_2");
    await node(page, "cook_0").getByRole("link").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("cook_2");
    await expect.poll(() => inSight(page)).toContain("cook_2");
    expect(await zoomOf(page)).toBe(zoom);
    expect(errors).toEqual([]);
  });

  test("axe reports nothing in both themes", async ({ page }) => {
    await using server = await kitchen(30);
    await page.goto(server.url);
    await expect(node(page, "external")).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await violationsOf(page, '[aria-label="Flow between agents"]')).toEqual([]);
    }
  });

  test("a URL of an agent starts at that agent", async ({ page }) => {
    await using server = await kitchen(30);
    await page.goto(`${server.url}/agents/cook_29`);
    await expect(node(page, "cook_29")).toBeVisible();
    await expect.poll(() => inSight(page)).toContain("cook_29");
  });

  test("a small graph has no map", async ({ page }) => {
    await using server = await kitchen(2);
    await page.goto(server.url);
    await expect(node(page, "guest")).toBeVisible();
    await expect.poll(async () => (await inSight(page)).length).toBe(4);
    expect(await page.getByRole("img", { name: /^Graph map/ }).count()).toBe(0);
  });
});

test.describe("size of the first screen", () => {
  test("loads less than 250 kB of compressed JavaScript, workers included, until the graph is drawn", async ({
    page,
  }) => {
    await using server = await kitchen(3);
    // The other screens load after two seconds. On a busy machine that can be before the graph is drawn.
    await page.addInitScript(
      "const soon = setTimeout; globalThis.setTimeout = (work, ms, ...rest) => ms === 2_000 ? 0 : soon(work, ms, ...rest)",
    );
    const sizes: Promise<number>[] = [];
    page.on("response", (response) => {
      if (new URL(response.url()).pathname.endsWith(".js")) {
        sizes.push(response.body().then((body) => gzipSync(body).length));
      }
    });
    await page.goto(`${server.url}/agents`);
    await expect(node(page, "guest")).toBeVisible();
    const drawn = await Promise.all(sizes);
    expect(drawn.length).toBeGreaterThan(5);
    expect(drawn.reduce((sum, size) => sum + size, 0)).toBeLessThan(250_000);
  });
});
