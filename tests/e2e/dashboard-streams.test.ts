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

const Topic = artifact("Topic", z.object({ name: z.string() }));

/** Two agents that write a line whenever they are told to, until they are told to end. */
async function writers() {
  const flock = new Flock();
  let turn = Promise.withResolvers<boolean>();
  for (const name of ["poet", "critic"]) {
    flock
      .agent(name)
      .consumes(Topic)
      .run(async function* ({ Topic: topic }) {
        for (let line = 0; ; line++) {
          yield `${name} on ${topic.name}, line ${line}\n`;
          if (!(await turn.promise)) return;
        }
      });
  }
  const server = await startServer({ flock, components: [], dashboard: true });
  const next = async (goesOn: boolean) => {
    const before = turn;
    turn = Promise.withResolvers<boolean>();
    before.resolve(goesOn);
    // Both have taken their turn when the event loop has come round.
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await flock.publish(Topic({ name: "rain" }));
  return {
    ...server,
    async write(lines: number) {
      for (let line = 0; line < lines; line++) await next(true);
    },
    end: () => next(false),
  };
}

const pane = (page: Page, agent: string) =>
  page.getByRole("region", { name: `Output of ${agent}` }).getByRole("log", { name: "Streamed text" });

describe("streams side by side can be read while they grow", () => {
  it.for([1440, 390])(
    "what is selected stays selected and in its place, and can be copied, at %i px",
    async (width) => {
      await using server = await writers();
      await server.write(40);
      await using opened = await browser.open("about:blank");
      const { page } = opened;
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${server.url}/output`);
      await pane(page, "poet").getByText("line 40").waitFor();
      const select = `(() => {
      const text = document.querySelector('[aria-label="Output of poet"] [role=log]').firstElementChild.firstChild;
      const from = text.data.indexOf("poet on rain, line 38");
      getSelection().setBaseAndExtent(text, from, text, from + 21);
    })()`;
      await page.evaluate(select);
      const top = () => page.evaluate("getSelection().getRangeAt(0).getBoundingClientRect().top") as Promise<number>;
      const before = await top();
      await server.write(40);
      await pane(page, "critic").getByText("line 80").waitFor();
      await pane(page, "poet").getByText("line 80").waitFor();
      expect(await page.evaluate("getSelection().toString()")).toBe("poet on rain, line 38");
      expect(await top()).toBe(before);
      // Who is done with it follows again.
      await page.evaluate("getSelection().removeAllRanges()");
      await page.getByRole("region", { name: "Output of poet" }).getByRole("button", { name: "Follow" }).click();
      await server.write(5);
      await expect
        .poll(() =>
          pane(page, "poet").evaluate(
            (box: { scrollHeight: number; scrollTop: number; clientHeight: number }) =>
              box.scrollHeight - box.scrollTop - box.clientHeight,
          ),
        )
        .toBeLessThan(2);
      await server.end();
      expect(opened.errors).toEqual([]);
    },
  );

  it.for([1440, 390])("a text is found in all of them, also in what comes later, at %i px", async (width) => {
    await using server = await writers();
    await server.write(60);
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${server.url}/output`);
    await pane(page, "critic").getByText("line 60").waitFor();
    await pane(page, "poet").getByText("line 60").waitFor();
    const find = page.getByLabel("Search in all of these");
    await find.fill("LINE 7");
    const told = page.getByRole("search").filter({ has: find }).getByRole("status");
    await expect.poll(() => told.textContent()).toBe("1 of 2");
    const marked = () =>
      page.evaluate(`[...CSS.highlights.get("found-here")].map((range) => {
        const line = range.getBoundingClientRect();
        const box = range.startContainer.parentElement.parentElement;
        const frame = box.getBoundingClientRect();
        return [box.closest("section").getAttribute("aria-label"), line.top >= frame.top && line.bottom <= frame.bottom];
      })[0]`);
    const [first] = (await marked()) as [string, boolean];
    await find.press("Enter");
    await expect.poll(() => told.textContent()).toBe("2 of 2");
    const [second, isSeen] = (await marked()) as [string, boolean];
    expect(new Set([first, second])).toEqual(new Set(["Output of poet", "Output of critic"]));
    expect(isSeen).toBe(true);
    await server.write(15);
    await expect.poll(() => told.textContent()).toBe("2 of 14");
    await find.fill("nobody wrote this");
    await expect.poll(() => told.textContent()).toBe("none");
    await server.end();
    expect(opened.errors).toEqual([]);
  });
});
