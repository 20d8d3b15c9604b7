import type { FlockEvent } from "@flock-ts/protocol";
import { fakeClock, record } from "flock-ts/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer, type TestServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** One order a minute from 14:00 on, where the browser is too; the second and the fourth are refused. */
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

/** Where the slider says that one is. */
async function seqOf(page: Page): Promise<number> {
  return Number(await page.getByRole("slider", { name: "Seq" }).inputValue());
}

/** Opens the dashboard live, or all of its events as a file. */
async function opened(server: TestServer, as: "live" | "a file") {
  const tab = await browser.open(`${server.url}/runs`);
  const { page } = tab;
  await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  if (as === "a file") {
    await page.keyboard.press("Control+k");
    await page.getByLabel("A file of events").setInputFiles({
      name: "evening.ndjson",
      mimeType: "application/x-ndjson",
      buffer: Buffer.from(String(await record(server.flock))),
    });
    await page.getByRole("status").getByText("File: evening.ndjson").waitFor();
  }
  return tab;
}

describe("any moment can be gone to by keyboard, on every screen", () => {
  it.for(["live", "a file"] as const)("%s", { timeout: 120_000 }, async (as) => {
    await using server = await evening();
    const all = (await record(server.flock)).events;
    const failures = all.filter((event) => event.type === "agent_execution_completed" && event.status === "error");
    const upTo = (minute: number) =>
      all.findLast(({ timestamp }) => Date.parse(timestamp) <= new Date(2026, 2, 14, 14, minute).getTime());
    await using tab = await opened(server, as);
    const { page } = tab;
    for (const screen of SCREENS) {
      await page.keyboard.press("g");
      await page.keyboard.press({ output: "o", blackboard: "b", system: "h" }[screen as string] ?? screen[0]!);
      await page.waitForURL(new RegExp(`/${screen}`));
      // "What happened at 14:03?", in the palette and in the timeline.
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill("14:03");
      await page.getByRole("option", { name: /as it was at .*2026/ }).waitFor();
      await page.keyboard.press("Enter");
      await expect.poll(() => seqOf(page), { message: screen }).toBe(upTo(3)?.seq);
      await page.keyboard.press("t");
      await page.getByLabel("Go to a seq or a time").fill("14:01:30");
      await page.keyboard.press("Enter");
      await expect.poll(() => seqOf(page), { message: screen }).toBe(upTo(1)?.seq);
      await page.getByLabel("Go to a seq or a time", { exact: true }).waitFor({ state: "detached" });
      // From error to error and back, from event to event.
      await page.keyboard.press("]");
      await expect.poll(() => seqOf(page), { message: screen }).toBe(failures[1]?.seq);
      await page.keyboard.press("[");
      await expect.poll(() => seqOf(page), { message: screen }).toBe(failures[0]?.seq);
      await page.keyboard.press(",");
      await page.keyboard.press(",");
      await page.keyboard.press(".");
      const before = all[all.indexOf(failures[0] as FlockEvent) - 1];
      await expect.poll(() => seqOf(page), { message: screen }).toBe(before?.seq);
      // Played to the end, faster and faster.
      await page.keyboard.press("k");
      for (let press = 0; press < 6; press++) await page.keyboard.press(">");
      await expect.poll(() => seqOf(page), { timeout: 20_000, message: screen }).toBe(all.at(-1)?.seq);
      await page.getByRole("button", { name: "Play", exact: true }).waitFor();
      await page.keyboard.press("l");
      await page.getByRole("button", { name: "Following" }).waitFor();
      await page.waitForURL((url) => !url.searchParams.has("seq"));
    }
    expect(tab.errors.filter((error) => !error.includes("/metrics"))).toEqual([]);
  });

  it("what is no place is told, and what there is none of as well", async () => {
    await using server = await evening();
    await using tab = await opened(server, "live");
    const { page } = tab;
    await page.keyboard.press("t");
    const field = page.getByLabel("Go to a seq or a time", { exact: true });
    await field.fill("noon");
    await page.keyboard.press("Enter");
    await expect.poll(() => field.getAttribute("aria-invalid")).toBe("true");
    await page.keyboard.press("Escape");
    await page.keyboard.press("]");
    await page.getByRole("alert").getByText("There is no error after this.").waitFor();
  });
});

describe("a link is a picture", () => {
  it("on every screen: what a fresh tab shows is what was shown", { timeout: 120_000 }, async () => {
    await using server = await evening();
    const all = (await record(server.flock)).events;
    const ended = all.filter((event) => event.type === "agent_execution_completed");
    const first = all.find((event) => event.type === "artifact_published");
    const run = ended[1]?.run_id;
    const seq = ended[3]?.seq;
    await using here = await browser.open(`${server.url}/system`);
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
      // One has come by clicking and travelling, the other by the link.
      await here.page.evaluate(
        `history.pushState(null, "", ${JSON.stringify(link)}); dispatchEvent(new PopStateEvent("popstate"));`,
      );
      await using there = await browser.open(link);
      const pictureOf = async (page: Page) => {
        await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
        await page.getByText(`#${seq}`).waitFor();
        const main = page.getByRole("main");
        const chosen = main.locator('[aria-current="true"], [aria-expanded="true"], [aria-selected="true"]');
        return {
          text: ((await main.textContent()) ?? "").replaceAll(/\s+/g, " "),
          fields: await main.locator("input, select").evaluateAll("(all) => all.map(({ value }) => value)" as never),
          chosen: await chosen.allInnerTexts(),
        };
      };
      const differs = async () => {
        const pictures = [await pictureOf(here.page), await pictureOf(there.page)];
        const [one, other] = pictures.map((picture) => JSON.stringify(picture));
        return one === other && (pictures[0]?.text.length ?? 0) > 20 ? "" : `${one}\nis not\n${other}`;
      };
      await expect.poll(differs, { timeout: 15_000, message: path }).toBe("");
      expect(new URL(there.page.url()).search, path).toBe(new URL(here.page.url()).search);
    }
  });
});
