import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

const SCREENS = ["Agents", "Runs", "Live output", "Blackboard", "Events", "Publish", "Control", "Health"];

const Note = artifact("Note", z.object({ text: z.string() }));

/** Serves an idle flock whose log is longer than the screen. */
async function board() {
  const flock = new Flock();
  flock
    .agent("reader")
    .consumes(Note)
    .run(() => undefined);
  const server = await startServer({ flock, components: [], dashboard: true });
  for (let n = 0; n < 40; n++) await flock.publish(Note({ text: `note ${n}` }));
  await flock.runUntilIdle();
  return server;
}

async function open(page: Page, url: string, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 844 });
  await page.goto(url);
  await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
}

test.describe("touch use of narrow pages", () => {
  for (const width of [390, 360, 320])
    test(`links to all screens are entirely in view, at ${width} px`, async ({ page }) => {
      await using server = await board();
      await open(page, server.url, width);
      const links = page.getByRole("navigation", { name: "Screens" }).getByRole("link");
      expect(await links.count()).toBe(SCREENS.length);
      for (const [index, name] of SCREENS.entries()) {
        const link = page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name, exact: true });
        const box = await link.boundingBox();
        expect(box?.x).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
        // The short name is not clipped.
        const over = await links.nth(index).evaluate((one) => one.scrollWidth - one.clientWidth);
        expect(over, name).toBeLessThanOrEqual(0);
        await link.click();
        await expect(link).toHaveAttribute("aria-current", "page");
      }
    });

  for (const width of [390, 320])
    test(`the time field leads to any seq and explains invalid input, at ${width} px`, async ({ page }) => {
      await using server = await board();
      await open(page, server.url, width);
      await page.getByRole("button", { name: /go to another seq or time/ }).click();
      const field = page.getByLabel("Go to a seq or time", { exact: true });
      await field.fill("never");
      await field.press("Enter");
      await expect(page.getByRole("alert").getByText("A seq, or a time such as 14:03")).toBeVisible();
      await field.fill("7");
      await field.press("Enter");
      await page.waitForURL(/seq=7$/);
      await page.getByRole("button", { name: "Go live" }).click();
      await expect(page.getByRole("button", { name: "Following" })).toBeVisible();
    });
});

test.describe("initial content", () => {
  for (const width of [1440, 390])
    test(`an idle log shows its newest events, at ${width} px`, async ({ page }) => {
      await using server = await board();
      await open(page, `${server.url}/events`, width);
      await expect(
        page
          .getByRole("log")
          .getByRole("button", { name: /reader ended: success/ })
          .last(),
      ).toBeVisible();
      const last = await page.getByRole("log").getByRole("button").last().boundingBox();
      expect(last?.y).toBeLessThan(844);
      expect(last?.y).toBeGreaterThan(400);
    });
});
