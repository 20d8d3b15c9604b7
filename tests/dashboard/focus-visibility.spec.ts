import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

const Order = artifact("Order", z.object({ dish: z.string(), notes: z.array(z.string()).default([]) }));
const Plate = artifact("Plate", z.object({ dish: z.string() }));

/** Serves more agents, failures and artifacts than fit on the screen. */
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

/** Tab stops per direction. The rest of a list repeats its first rows. */
const STEPS = 70;
/** One page goes through all screens. A busy machine takes minutes for that. */
const PATIENCE_MS = 600_000;

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

/** Frames within which a notice or a sticky header must give way to the focused element. */
const GIVE_WAY_FRAMES = 15;

/** Describes the focused element if it stays covered; null when it is visible, undefined without a focused element. */
const COVERED = `(async () => {
  for (let frame = 0; ; frame++) {
    const covered = look();
    if (!covered || frame === ${GIVE_WAY_FRAMES}) return covered;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  function look() {
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
  }
})()`;

/** Moves the focus through a page by a key. Returns the elements that were covered while focused. */
async function walk(page: Page, key: string): Promise<string[]> {
  const found: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    await page.keyboard.press(key);
    const covered = await page.evaluate<string | null | undefined>(COVERED);
    if (covered === undefined) break;
    if (covered) found.push(covered);
  }
  return found;
}

test.describe("the focused element is never covered (WCAG 2.4.11)", () => {
  for (const [width, height] of [
    [1440, 844],
    [390, 664],
  ] as const)
    test(`on every screen, forwards and backwards, under a notice, at ${width} px`, async ({ page }) => {
      test.setTimeout(PATIENCE_MS);
      await using server = await kitchen();
      await page.setViewportSize({ width, height });
      const found: string[] = [];
      for (const path of SCREENS) {
        await test.step(path, async () => {
          await page.goto(server.url + path);
          await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
          await expect(page.locator("#content :is(h1, h2, h3, p)").first()).toBeAttached();
          // The Control screen shows answers in the page, not as a notice.
          if (!path.startsWith("/control")) {
            await page.keyboard.press("Control+k");
            await page.getByRole("dialog").getByRole("combobox").fill("pause waiter");
            await expect(page.getByRole("dialog").getByRole("option", { name: "Pause waiter" })).toBeVisible();
            await page.keyboard.press("Enter");
            await expect(
              page.getByRole("status", { name: "Action results" }).getByText("waiter is paused."),
            ).toBeVisible();
            await server.flock.resume("waiter");
          }
          for (const key of ["Tab", "Shift+Tab"]) {
            for (const one of await walk(page, key)) found.push(`${path} ${key}: ${one}`);
          }
        });
      }
      expect(found).toEqual([]);
    });
});
