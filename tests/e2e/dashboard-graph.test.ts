import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import { Flock } from "flock-ts";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** One idea for so many cooks, and somebody who eats all that they make. */
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

/** How far the picture is magnified. */
function zoomOf(page: Page): Promise<number> {
  const viewport = `document.querySelector(".react-flow__viewport")`;
  return page.evaluate<number>(`new DOMMatrix(getComputedStyle(${viewport}).transform).a`);
}

/** Those whose box is wholly in the picture. */
async function inSight(page: Page): Promise<string[]> {
  return (await page.evaluate(`{
    const all = document.querySelector(".react-flow")?.getBoundingClientRect();
    [...document.querySelectorAll(".react-flow__node")].filter((node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return left >= all.left && right <= all.right && top >= all.top && bottom <= all.bottom;
    }).map((node) => node.dataset.id)
  }`)) as string[];
}

describe("a graph that is too large for the screen can be read", () => {
  it("begins at the source, names can be read, and the map and the buttons lead to the rest", async () => {
    await using server = await kitchen(30);
    await using opened = await browser.open(server.url);
    const { page } = opened;
    const map = page.getByRole("img", { name: /^The whole graph/ });
    await map.waitFor();
    await expect.poll(() => inSight(page)).toContain("external");
    expect((await inSight(page)).length).toBeGreaterThan(5);
    const name = node(page, "cook_15").getByRole("link");
    expect((await boxOf(name)).height).toBeGreaterThan(13);

    // Its first cook is at the map's upper end, its last at the lower one.
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
    expect(opened.errors).toEqual([]);
  });

  it("by keyboard, too: who has the focus is in sight", async () => {
    await using server = await kitchen(30);
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await node(page, "external").waitFor();
    await expect.poll(() => inSight(page)).toContain("external");
    const zoom = await zoomOf(page);
    expect(await inSight(page)).not.toContain("cook_2");
    await node(page, "cook_0").getByRole("link").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("cook_2");
    await expect.poll(() => inSight(page)).toContain("cook_2");
    expect(await zoomOf(page)).toBe(zoom);
    expect(opened.errors).toEqual([]);
  });

  it("nothing of it is inaccessible, light and dark", async () => {
    await using server = await kitchen(30);
    await using opened = await browser.open(server.url);
    const { page } = opened;
    await node(page, "external").waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).include('[aria-label="Flow between agents"]').analyze();
      expect(violations.map(({ id, nodes: [first] }) => `${id} ${first?.html}`)).toEqual([]);
    }
  });

  it("an address that leads to an agent begins with it", async () => {
    await using server = await kitchen(30);
    await using opened = await browser.open(`${server.url}/agents/cook_29`);
    await node(opened.page, "cook_29").waitFor();
    await expect.poll(() => inSight(opened.page)).toContain("cook_29");
  });

  it("a small one has no map", async () => {
    await using server = await kitchen(2);
    await using opened = await browser.open(server.url);
    await node(opened.page, "guest").waitFor();
    await expect.poll(async () => (await inSight(opened.page)).length).toBe(4);
    expect(await opened.page.getByRole("img", { name: /^The whole graph/ }).count()).toBe(0);
  });
});

describe("the first screen is light", () => {
  it("all JavaScript that comes until the graph is drawn, workers included, is less than 250 kB compressed", async () => {
    await using server = await kitchen(3);
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    // What other screens are made of comes after two seconds: on a busy machine that may be before the graph.
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
    await node(page, "guest").waitFor();
    const drawn = await Promise.all(sizes);
    expect(drawn.length).toBeGreaterThan(5);
    expect(drawn.reduce((sum, size) => sum + size, 0)).toBeLessThan(250_000);
  });
});
