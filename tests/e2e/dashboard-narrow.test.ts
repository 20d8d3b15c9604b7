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

const SCREENS = ["Agents", "Runs", "Live output", "Blackboard", "Events", "Publish", "Control", "Health"];

const Note = artifact("Note", z.object({ text: z.string() }));

/** A flock whose log is longer than what is in sight, and rests. */
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
  await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
}

describe("on a narrow page everything can be reached by touch", () => {
  it.for([390, 360, 320])("every screen, by links that are in sight as a whole, at %i px", async (width) => {
    await using server = await board();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await open(page, server.url, width);
    const links = page.getByRole("navigation", { name: "Screens" }).getByRole("link");
    expect(await links.count()).toBe(SCREENS.length);
    for (const [index, name] of SCREENS.entries()) {
      const link = page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name, exact: true });
      const box = await link.boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      // Its short name is not cut, and does not run into the next one.
      const over = await links.nth(index).evaluate((one) => one.scrollWidth - one.clientWidth);
      expect(over, name).toBeLessThanOrEqual(0);
      await link.click();
      await expect.poll(() => link.getAttribute("aria-current")).toBe("page");
    }
  });

  it.for([390, 320])(
    "any moment, by the time field, which says what is wrong with what is typed, at %i px",
    async (width) => {
      await using server = await board();
      await using opened = await browser.open("about:blank");
      const { page } = opened;
      await open(page, server.url, width);
      await page.getByRole("button", { name: /go to another seq or time/ }).click();
      const field = page.getByLabel("Go to a seq or a time", { exact: true });
      await field.fill("never");
      await field.press("Enter");
      await page.getByRole("alert").getByText("A seq, or a time such as 14:03").waitFor();
      await field.fill("7");
      await field.press("Enter");
      await page.waitForURL(/seq=7$/);
      await page.getByRole("button", { name: "Go live" }).click();
      await page.getByRole("button", { name: "Following" }).waitFor();
    },
  );
});

describe("what is there is shown at once", () => {
  it.for([1440, 390])("the newest events, also where nothing more happens, at %i px", async (width) => {
    await using server = await board();
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await open(page, `${server.url}/events`, width);
    await page
      .getByRole("log")
      .getByRole("button", { name: /reader ended: success/ })
      .last()
      .waitFor();
    const last = await page.getByRole("log").getByRole("button").last().boundingBox();
    expect(last?.y).toBeLessThan(844);
    expect(last?.y).toBeGreaterThan(400);
  });
});
