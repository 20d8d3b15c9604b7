import type { FlockEvent } from "@flock-ts/protocol";
import type { Page } from "@playwright/test";
import { fakeClock, record } from "flock-ts/testing";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

/** Serves one order a minute from 14:00 in the browser's time zone. The second and fourth fail. */
async function evening(): Promise<TestServer> {
  const clock = fakeClock({ now: new Date(2026, 2, 14, 14, 0) });
  const server = await startServer({ flock: pizzeria({ clock }), components: [], dashboard: true });
  for (const description of ["truffle", "pineapple", "basil", "pineapple", "olive"]) {
    await server.flock.publish(Idea({ description }), { correlationId: `dinner ${clock.now()}` });
    await server.flock.runUntilIdle();
    await clock.advance(60_000);
  }
  return server;
}

const SCREENS = ["agents", "runs", "output", "blackboard", "events", "publish", "system"] as const;

const expectSeq = (page: Page, seq: number | undefined, message?: string) =>
  expect(page.getByRole("slider", { name: "Seq" }), message).toHaveValue(String(seq));

/** Opens the dashboard with live events or with the same events from a file. */
async function show(page: Page, server: TestServer, as: "live" | "a file"): Promise<void> {
  await page.goto(`${server.url}/runs`);
  await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
  if (as === "a file") {
    await page.keyboard.press("Control+k");
    await page.getByLabel("Event file").setInputFiles({
      name: "evening.ndjson",
      mimeType: "application/x-ndjson",
      buffer: Buffer.from(String(await record(server.flock))),
    });
    await expect(page.getByRole("status").getByText("File: evening.ndjson")).toBeVisible();
  }
}

test.describe("every moment is reachable by keyboard on every screen", () => {
  for (const as of ["live", "a file"] as const)
    test(`${as}`, async ({ page, errors }) => {
      await using server = await evening();
      const all = (await record(server.flock)).events;
      const failures = all.filter((event) => event.type === "agent_execution_completed" && event.status === "error");
      const upTo = (minute: number) =>
        all.findLast(({ timestamp }) => Date.parse(timestamp) <= new Date(2026, 2, 14, 14, minute).getTime());
      await show(page, server, as);
      for (const screen of SCREENS) {
        await page.keyboard.press("g");
        await page.keyboard.press({ output: "o", blackboard: "b", system: "h" }[screen as string] ?? screen[0]!);
        await page.waitForURL(new RegExp(`/${screen}`));
        // "What happened at 14:03?", in the palette and in the timeline.
        await page.keyboard.press("Control+k");
        await page.getByRole("dialog").getByRole("combobox").fill("14:03");
        await expect(page.getByRole("option", { name: /Show the state at .*2026/ })).toBeVisible();
        await page.keyboard.press("Enter");
        await expectSeq(page, upTo(3)?.seq, screen);
        await page.keyboard.press("t");
        await page.getByLabel("Go to a seq or time").fill("14:01:30");
        await page.keyboard.press("Enter");
        await expectSeq(page, upTo(1)?.seq, screen);
        await expect(page.getByLabel("Go to a seq or time", { exact: true })).toHaveCount(0);
        // Step by error and by event.
        await page.keyboard.press("]");
        await expectSeq(page, failures[1]?.seq, screen);
        await page.keyboard.press("[");
        await expectSeq(page, failures[0]?.seq, screen);
        await page.keyboard.press(",");
        await page.keyboard.press(",");
        await page.keyboard.press(".");
        const before = all[all.indexOf(failures[0] as FlockEvent) - 1];
        await expectSeq(page, before?.seq, screen);
        // Play to the end with rising speed.
        await page.keyboard.press("k");
        for (let press = 0; press < 6; press++) await page.keyboard.press(">");
        await expectSeq(page, all.at(-1)?.seq, screen);
        await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
        await page.keyboard.press("l");
        await expect(page.getByRole("button", { name: "Following" })).toBeVisible();
        await page.waitForURL((url) => !url.searchParams.has("seq"));
      }
      expect(errors.filter((error) => !error.includes("/metrics"))).toEqual([]);
    });

  test("invalid input and a missing error are reported", async ({ page }) => {
    await using server = await evening();
    await show(page, server, "live");
    await page.keyboard.press("t");
    const field = page.getByLabel("Go to a seq or time", { exact: true });
    await field.fill("noon");
    await page.keyboard.press("Enter");
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await page.keyboard.press("Escape");
    await page.keyboard.press("]");
    await expect(page.getByRole("alert").getByText("No errors after this seq.")).toBeVisible();
  });
});

test.describe("URLs", () => {
  test("a fresh tab shows the same picture on every screen", async ({ page, openPage }) => {
    await using server = await evening();
    const all = (await record(server.flock)).events;
    const ended = all.filter((event) => event.type === "agent_execution_completed");
    const first = all.find((event) => event.type === "artifact_published");
    const run = ended[1]?.run_id;
    const seq = ended[3]?.seq;
    await page.goto(`${server.url}/system`);
    for (const path of [
      "/agents/pizza_master",
      "/agents",
      `/runs/${run}?status=failed&q=pizza`,
      `/runs/${run}?workflow=${encodeURIComponent(ended[1]?.correlation_id ?? "")}`,
      "/output",
      `/blackboard/${first?.artifact_id}?type=Idea&sort=type`,
      "/blackboard?q=basil",
      `/events/${ended[0]?.seq}?types=agent_execution_completed,artifact_published&agents=pizza_master&q=e`,
      "/publish/Idea",
    ]) {
      const link = `${server.url}${path}${path.includes("?") ? "&" : "?"}seq=${seq}`;
      // This page travels within the app. The other loads the URL.
      await page.evaluate(
        `history.pushState(null, "", ${JSON.stringify(link)}); dispatchEvent(new PopStateEvent("popstate"));`,
      );
      const there = await openPage(link);
      const pictureOf = async (page: Page) => {
        await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
        await expect(page.getByText(`#${seq}`)).toBeVisible();
        const main = page.getByRole("main");
        const chosen = main.locator('[aria-current="true"], [aria-expanded="true"], [aria-selected="true"]');
        return {
          text: ((await main.textContent()) ?? "").replaceAll(/\s+/g, " "),
          fields: await main.locator("input, select").evaluateAll("(all) => all.map(({ value }) => value)" as never),
          chosen: await chosen.allInnerTexts(),
        };
      };
      const differs = async () => {
        const pictures = [await pictureOf(page), await pictureOf(there.page)];
        const [one, other] = pictures.map((picture) => JSON.stringify(picture));
        return one === other && (pictures[0]?.text.length ?? 0) > 20 ? "" : `${one}\nis not\n${other}`;
      };
      await expect.poll(differs, { message: path }).toBe("");
      expect(new URL(there.page.url()).search, path).toBe(new URL(page.url()).search);
    }
  });
});
