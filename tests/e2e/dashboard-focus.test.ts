import { artifact, Flock } from "flock-ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const Order = artifact("Order", z.object({ dish: z.string(), notes: z.array(z.string()).default([]) }));
const Plate = artifact("Plate", z.object({ dish: z.string() }));

/** More agents, failures and artifacts than are in sight. */
async function kitchen() {
  const flock = new Flock();
  for (let n = 0; n < 12; n++) {
    flock
      .agent(`cook_${n}`)
      .consumes(Order)
      .publishes(Plate)
      .run(async function* ({ Order: { dish } }) {
        yield `${dish}\n`;
        if (n > 3) throw new RangeError("the oven is cold");
        return Plate({ dish });
      });
  }
  flock
    .agent("waiter")
    .consumes(Plate)
    .run(() => undefined);
  const server = await startServer({ flock, components: [], dashboard: true });
  for (const dish of ["calzone", "funghi", "marinara"]) await flock.publish(Order({ dish }));
  await flock.runUntilIdle();
  return server;
}

/** So many steps each way: more tells nothing new of a list. */
const STEPS = 70;
const PATIENCE_MS = 240_000;

const SCREENS = [
  "/agents",
  "/agents/cook_7",
  "/runs",
  "/output",
  "/blackboard",
  "/events/9",
  "/publish/Order",
  "/control",
  "/control?invoke=cook_1",
  "/system",
];

/** What has the focus, when nothing of it is to be seen; null when it is, and undefined when nothing has it. */
const COVERED = `(() => {
  const one = document.activeElement;
  if (!one || one === document.body) return undefined;
  const box = one.getBoundingClientRect();
  for (const x of [0.02, 0.25, 0.5, 0.75, 0.98]) {
    for (const y of [0.05, 0.5, 0.95]) {
      const there = document.elementFromPoint(box.x + box.width * x, box.y + box.height * y);
      if (there && (one.contains(there) || one.closest("label")?.contains(there))) return null;
    }
  }
  return one.outerHTML.slice(0, 140) + " under " + document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.outerHTML.slice(0, 90) + " " + [box.x, box.y, box.width, box.height].map(Math.round);
})()`;

/** Walks over a page by a key, and says what was covered when it had the focus. */
async function walk(page: Page, key: string): Promise<string[]> {
  const found: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    await page.keyboard.press(key);
    let covered = (await page.evaluate(COVERED)) as string | null | undefined;
    if (covered === undefined) break;
    // What gives way does so a frame later.
    for (let look = 0; covered && look < 5; look++) {
      await page.evaluate("new Promise((resolve) => setTimeout(resolve, 50))");
      covered = (await page.evaluate(COVERED)) as string | null;
    }
    if (covered) found.push(covered);
  }
  return found;
}

describe("what has the focus is never covered (WCAG 2.4.11)", () => {
  it.for([
    [1440, 844],
    [390, 664],
  ] as const)(
    "there and back on every screen, with a notice over it, at %i px",
    { timeout: PATIENCE_MS },
    async ([width, height]) => {
      await using server = await kitchen();
      await using opened = await browser.open("about:blank");
      const { page } = opened;
      await page.setViewportSize({ width, height });
      const found: string[] = [];
      for (const path of SCREENS) {
        await page.goto(server.url + path);
        await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
        await page.locator("#content :is(h1, h2, h3, p)").first().waitFor({ state: "attached" });
        // The Control screen has a place of its own for answers.
        if (!path.startsWith("/control")) {
          await page.keyboard.press("Control+k");
          await page.getByRole("dialog").getByRole("combobox").fill("pause waiter");
          await page.getByRole("dialog").getByRole("option", { name: "Pause waiter" }).waitFor();
          await page.keyboard.press("Enter");
          await page.getByRole("status", { name: "Answers" }).getByText("waiter is paused.").waitFor();
          await server.flock.resume("waiter");
        }
        for (const key of ["Tab", "Shift+Tab"]) {
          for (const one of await walk(page, key)) found.push(`${path} ${key}: ${one}`);
        }
      }
      expect(found).toEqual([]);
    },
  );
});
