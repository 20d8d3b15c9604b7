import { readFile } from "node:fs/promises";
import type { FlockEvent } from "@flock-ts/protocol";
import type { Page } from "@playwright/test";
import { artifact } from "flock-ts";
import { fakeClock, record } from "flock-ts/testing";
import { z } from "zod";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { violationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

const Note = artifact("Note", z.object({ text: z.string() }));
/** Notes per hour. Two hours exceed what a tab keeps. */
const NOTES = 70_000;

let server: TestServer;
let all: readonly FlockEvent[];
let failures: readonly FlockEvent[];

// Two orders at 14:00 and two at 15:00, one of each fails. Notes follow each pair.
test.beforeAll(async () => {
  const clock = fakeClock({ now: new Date(2026, 2, 14, 14, 0) });
  const flock = pizzeria({ clock });
  server = await startServer({ flock, components: [], dashboard: true });
  for (let hour = 0; hour < 2; hour++) {
    for (const description of ["basil", "pineapple"]) {
      await flock.publish(Idea({ description }));
      await flock.runUntilIdle();
    }
    await clock.advance(3_600_000);
    for (let note = 0; note < NOTES; note += 1_000) {
      await flock.publish(Array.from({ length: 1_000 }, (_, each) => Note({ text: `note ${note + each}` })));
    }
  }
  all = (await record(flock)).events;
  failures = all.filter((event) => event.type === "agent_execution_completed" && event.status === "error");
});
test.afterAll(() => server[Symbol.asyncDispose]());

/** Opens a path of the dashboard and waits until it is live. */
async function show(page: Page, path: string): Promise<void> {
  await page.goto(server.url + path);
  await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
}

const expectSeq = (page: Page, seq: number | undefined) =>
  expect(page.getByRole("slider", { name: "Whole log" })).toHaveValue(String(seq));

/** Returns the range of seqs that the timeline covers. */
async function barOf(page: Page): Promise<{ first: number; last: number }> {
  const slider = page.getByRole("slider", { name: "Seq", exact: true });
  return { first: Number(await slider.getAttribute("min")), last: Number(await slider.getAttribute("max")) };
}

const untilWhole = (page: Page) => expect.poll(async () => (await barOf(page)).first).toBeLessThan(all.length - 99_000);

test.describe("a log longer than a tab keeps", () => {
  test("is navigable to its start by error, by event, by slider and by time", async ({ page, errors }) => {
    await show(page, "/runs");
    await untilWhole(page);
    const live = await barOf(page);
    expect(live.first).toBeGreaterThan(failures[0]?.seq ?? 0);
    for (const { seq } of [...failures].reverse()) {
      await page.keyboard.press("[");
      await expectSeq(page, seq);
    }
    await expect(page.getByRole("list", { name: "Runs" }).getByRole("link").nth(1)).toBeVisible();
    await page.keyboard.press("[");
    await expect(page.getByRole("alert").getByText("No errors before this seq.")).toBeVisible();
    await page.keyboard.press(".");
    await expectSeq(page, (failures[0]?.seq ?? 0) + 1);

    // Cross the end of the loaded chunk forwards and backwards.
    const { last } = await barOf(page);
    expect(last).toBeLessThan(live.first);
    await page.keyboard.press("t");
    await page.getByLabel("Go to a seq or time", { exact: true }).fill(String(last));
    await page.keyboard.press("Enter");
    await expectSeq(page, last);
    await page.keyboard.press(".");
    await expectSeq(page, last + 1);
    await expect.poll(async () => (await barOf(page)).last).toBeGreaterThan(last);
    await page.keyboard.press(",");
    await expectSeq(page, last);

    // "What happened at 14:00?"
    await page.keyboard.press("t");
    await page.getByLabel("Go to a seq or time", { exact: true }).fill("14:00");
    await page.keyboard.press("Enter");
    const then = all.findLast(({ timestamp }) => Date.parse(timestamp) <= new Date(2026, 2, 14, 14, 0).getTime());
    await expectSeq(page, then?.seq);
    await expect(page.getByRole("list", { name: "Runs" }).getByRole("link").nth(1)).toBeVisible();

    const slider = page.getByRole("slider", { name: "Whole log" });
    await slider.fill("20000");
    await expect.poll(async () => (await barOf(page)).last).toBe(30_000);
    await page.keyboard.press("l");
    await expectSeq(page, all.length);
    expect(await barOf(page)).toEqual(live);
    expect(errors.filter((error) => !error.includes("/metrics"))).toEqual([]);
  });

  test("plays from a past seq across chunk borders up to now", async ({ page }) => {
    await show(page, `/events?seq=${failures[0]?.seq}`);
    await expectSeq(page, failures[0]?.seq);
    await page.keyboard.press("k");
    for (let press = 0; press < 6; press++) await page.keyboard.press(">");
    await expect(page.getByRole("slider", { name: "Whole log" })).toHaveValue(String(all.length), { timeout: 60_000 });
    await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  });

  test("a URL with an old seq shows that state and from where on it counts", async ({ page }) => {
    await show(page, "/agents?seq=15000");
    await expect(page.getByText("showing seq 15,000, counted from 5,000")).toBeVisible();
    await expect(page.getByText("pizza_master").first()).toBeVisible();
    await page.goto(`${server.url}/agents?seq=${failures[0]?.seq}`);
    await expect(page.getByText("counted from 1", { exact: false })).toBeVisible();
    const row = page.getByRole("row").filter({ hasText: "pizza_master" });
    await expect(row).toHaveText(/2.*1/);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await expect(page.locator(`html[data-theme=${colorScheme}]`)).toBeVisible();
        await expect(page.getByRole("slider", { name: "Whole log" })).toBeVisible();
        expect(await violationsOf(page, '[aria-label="Timeline"]')).toEqual([]);
      }
    }
  });

  test("a URL with a dropped seq shows the oldest event and a notice", async ({ page }) => {
    const short = pizzeria({ logBufferBytes: 1_000_000 });
    await using server = await startServer({ flock: short, components: [], dashboard: true });
    for (let note = 0; short.log.oldest === 1; note += 50) {
      await short.publish(
        Array.from({ length: 50 }, (_, each) => Note({ text: `note ${note + each} `.repeat(2_000) })),
      );
    }
    await page.goto(`${server.url}/events?seq=1`);
    await expect(
      page.getByText(`Seq 1 is no longer retained. Showing the oldest seq, ${short.log.oldest}.`),
    ).toBeVisible();
    await expect(page.getByRole("slider", { name: "Seq", exact: true })).toHaveValue(String(short.log.oldest));
    await expect(page.getByRole("log").getByText("note").first()).toBeVisible();
  });

  test("is saved as a file completely", async ({ page }) => {
    await show(page, "/events");
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
