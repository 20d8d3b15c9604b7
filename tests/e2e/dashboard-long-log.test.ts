import { readFile } from "node:fs/promises";
import { AxeBuilder } from "@axe-core/playwright";
import type { FlockEvent } from "@flock-ts/protocol";
import { artifact } from "flock-ts";
import { fakeClock, record } from "flock-ts/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type OpenPage, type TestBrowser } from "../support/browser.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer, type TestServer } from "../support/server.ts";

const Note = artifact("Note", z.object({ text: z.string() }));
/** Two of these are more than a tab keeps. */
const NOTES = 70_000;

let browser: TestBrowser;
let server: TestServer;
let all: readonly FlockEvent[];
let failures: readonly FlockEvent[];

/** Orders at 14:00 and at 15:00, a refused one among each, and before and after the latter more than anybody reads. */
beforeAll(async () => {
  browser = await launchBrowser();
  const clock = fakeClock({ now: new Date(2026, 2, 14, 14, 0) });
  const flock = pizzeria({ clock });
  server = await startServer({ flock, components: [], dashboard: true });
  for (let hour = 0; hour < 2; hour++) {
    for (const description of ["basil", "pineapple"]) {
      await flock.publish(Idea({ description }));
      await flock.runUntilIdle();
    }
    await clock.advance(3_600_000);
    for (let note = 0; note < NOTES; note++) await flock.publish(Note({ text: `note ${note}` }));
  }
  all = (await record(flock)).events;
  failures = all.filter((event) => event.type === "agent_execution_completed" && event.status === "error");
}, 120_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await browser[Symbol.asyncDispose]();
});

/** Opens a place of the dashboard. Resolves when it has as much of the log as a tab keeps. */
async function opened(place: string): Promise<OpenPage> {
  const tab = await browser.open(server.url + place);
  await tab.page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  return tab;
}

async function seqOf(page: Page): Promise<number> {
  return Number(await page.getByRole("slider", { name: "Whole log" }).inputValue());
}

/** Which seqs the bar goes over. */
async function barOf(page: Page): Promise<{ first: number; last: number }> {
  const slider = page.getByRole("slider", { name: "Seq", exact: true });
  return { first: Number(await slider.getAttribute("min")), last: Number(await slider.getAttribute("max")) };
}

const untilWhole = (page: Page) =>
  expect.poll(async () => (await barOf(page)).first, { timeout: 30_000 }).toBeLessThan(all.length - 99_000);

describe("a log that is longer than a tab keeps can be gone through to its beginning", () => {
  it("from error to error, event by event, by slider, and by time", { timeout: 120_000 }, async () => {
    await using tab = await opened("/runs");
    const { page } = tab;
    await untilWhole(page);
    const live = await barOf(page);
    expect(live.first).toBeGreaterThan(failures[0]?.seq ?? 0);
    for (const { seq } of [...failures].reverse()) {
      await page.keyboard.press("[");
      await expect.poll(() => seqOf(page), { timeout: 20_000 }).toBe(seq);
    }
    await page.getByRole("list", { name: "Runs" }).getByRole("link").nth(1).waitFor();
    await page.keyboard.press("[");
    await page.getByRole("alert").getByText("There is no error before this.").waitFor();
    await page.keyboard.press(".");
    await expect.poll(() => seqOf(page)).toBe((failures[0]?.seq ?? 0) + 1);

    // Over the end of what has been read, forwards and backwards.
    const { last } = await barOf(page);
    expect(last).toBeLessThan(live.first);
    await page.keyboard.press("t");
    await page.getByLabel("Go to a seq or a time", { exact: true }).fill(String(last));
    await page.keyboard.press("Enter");
    await expect.poll(() => seqOf(page)).toBe(last);
    await page.keyboard.press(".");
    await expect.poll(() => seqOf(page)).toBe(last + 1);
    await expect.poll(async () => (await barOf(page)).last).toBeGreaterThan(last);
    await page.keyboard.press(",");
    await expect.poll(() => seqOf(page)).toBe(last);

    // "What happened at 14:00?"
    await page.keyboard.press("t");
    await page.getByLabel("Go to a seq or a time", { exact: true }).fill("14:00");
    await page.keyboard.press("Enter");
    const then = all.findLast(({ timestamp }) => Date.parse(timestamp) <= new Date(2026, 2, 14, 14, 0).getTime());
    await expect.poll(() => seqOf(page), { timeout: 20_000 }).toBe(then?.seq);
    await page.getByRole("list", { name: "Runs" }).getByRole("link").nth(1).waitFor();

    const slider = page.getByRole("slider", { name: "Whole log" });
    await slider.fill("20000");
    await expect.poll(async () => (await barOf(page)).last, { timeout: 20_000 }).toBe(30_000);
    await page.keyboard.press("l");
    await expect.poll(() => seqOf(page)).toBe(all.length);
    expect(await barOf(page)).toEqual(live);
    expect(tab.errors.filter((error) => !error.includes("/metrics"))).toEqual([]);
  });

  it("played from where one is, over all ends, up to now", { timeout: 120_000 }, async () => {
    await using tab = await opened(`/events?seq=${failures[0]?.seq}`);
    const { page } = tab;
    await expect.poll(() => seqOf(page)).toBe(failures[0]?.seq);
    await page.keyboard.press("k");
    for (let press = 0; press < 6; press++) await page.keyboard.press(">");
    await expect.poll(() => seqOf(page), { timeout: 60_000 }).toBe(all.length);
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  });

  it("a link to long ago is a picture too, with what is not counted in words", async () => {
    await using tab = await opened(`/agents?seq=15000`);
    const { page } = tab;
    await page.getByText("showing seq 15,000, counted from 5,000").waitFor();
    await page.getByText("pizza_master").first().waitFor();
    await page.goto(`${server.url}/agents?seq=${failures[0]?.seq}`);
    await page.getByText("counted from 1", { exact: false }).waitFor();
    const row = page.getByRole("row").filter({ hasText: "pizza_master" });
    await expect.poll(() => row.textContent()).toMatch(/2.*1/);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
        await page.getByRole("slider", { name: "Whole log" }).waitFor();
        const { violations } = await new AxeBuilder({ page }).include('[aria-label="Timeline"]').analyze();
        expect(violations.map(({ id, nodes: [first] }) => `${id} ${first?.html}`)).toEqual([]);
      }
    }
  });

  it("a link to what is no longer kept leads to the oldest that is, and says so", async () => {
    const short = pizzeria();
    await using server = await startServer({ flock: short, components: [], dashboard: true });
    for (let note = 0; short.log.oldest === 1; note++)
      await short.publish(Note({ text: `note ${note} `.repeat(2_000) }));
    await using tab = await browser.open(`${server.url}/events?seq=1`);
    const { page } = tab;
    await page.getByText(`Seq 1 is no longer kept. This is the oldest one that is, ${short.log.oldest}`).waitFor();
    const seq = () => page.getByRole("slider", { name: "Seq", exact: true }).inputValue();
    await expect.poll(seq, { timeout: 20_000 }).toBe(String(short.log.oldest));
    await page.getByRole("log").getByText("note").first().waitFor();
  });

  it("is saved as a file, whatever of it the tab keeps", { timeout: 120_000 }, async () => {
    await using tab = await opened("/events");
    const { page } = tab;
    await untilWhole(page);
    await page.keyboard.press("x");
    const panel = page.getByRole("dialog", { name: "Save a range as a file" });
    await panel.getByLabel("From").fill("1");
    await panel.getByLabel("From").press("Enter");
    const download = page.waitForEvent("download");
    await panel.getByRole("button", { name: "Save as a file" }).click();
    const saved = await (await download).path();
    const [head, ...events] = (await readFile(saved, "utf8")).trimEnd().split("\n");
    expect(JSON.parse(head as string)).toMatchObject({ from_seq: 1, to_seq: all.length });
    expect(events.map((line) => JSON.parse(line).seq)).toEqual(all.map(({ seq }) => seq));
  });
});
