import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { Changes } from "../support/changes.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

const Topic = artifact("Topic", z.object({ name: z.string() }));

/** Serves two agents that each write a line per turn until the test ends them. */
async function writers() {
  const flock = new Flock();
  const names = ["poet", "critic"];
  const changes = new Changes();
  let turn = Promise.withResolvers<boolean>();
  let waiting = 0;
  for (const name of names) {
    flock
      .agent(name)
      .consumes(Topic)
      .run(async function* ({ Topic: topic }) {
        for (let line = 0; ; line++) {
          yield `${name} on ${topic.name}, line ${line}\n`;
          waiting += 1;
          changes.tell();
          if (!(await turn.promise)) return;
        }
      });
  }
  const server = await startServer({ flock, components: [], dashboard: true });
  const next = async (goesOn: boolean) => {
    const allWait = () =>
      changes.until(
        () => waiting === names.length,
        () => `${waiting} of ${names.length} wait`,
      );
    await allWait();
    const before = turn;
    turn = Promise.withResolvers<boolean>();
    waiting = 0;
    before.resolve(goesOn);
    if (goesOn) await allWait();
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

test.describe("streamed outputs side by side", () => {
  for (const width of [1440, 390])
    test(`selected text stays selected and in place while output grows, at ${width} px`, async ({ page, errors }) => {
      await using server = await writers();
      await server.write(40);
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${server.url}/output`);
      await expect(pane(page, "poet").getByText("line 40")).toBeVisible();
      const select = `(() => {
      const text = document.querySelector('[aria-label="Output of poet"] [role=log]').firstElementChild.firstChild;
      const from = text.data.indexOf("poet on rain, line 38");
      getSelection().setBaseAndExtent(text, from, text, from + 21);
    })()`;
      await page.evaluate(select);
      const top = () => page.evaluate("getSelection().getRangeAt(0).getBoundingClientRect().top") as Promise<number>;
      const before = await top();
      await server.write(40);
      await expect(pane(page, "critic").getByText("line 80")).toBeVisible();
      await expect(pane(page, "poet").getByText("line 80")).toBeVisible();
      expect(await page.evaluate("getSelection().toString()")).toBe("poet on rain, line 38");
      expect(await top()).toBe(before);
      // Without a selection, the pane can follow the output again.
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
      expect(errors).toEqual([]);
    });

  for (const width of [1440, 390])
    test(`search covers all outputs and new text, at ${width} px`, async ({ page, errors }) => {
      await using server = await writers();
      await server.write(60);
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${server.url}/output`);
      await expect(pane(page, "critic").getByText("line 60")).toBeVisible();
      await expect(pane(page, "poet").getByText("line 60")).toBeVisible();
      const find = page.getByLabel("Search all outputs");
      await find.fill("LINE 7");
      const told = page.getByRole("search").filter({ has: find }).getByRole("status");
      await expect(told).toHaveText("1 of 2");
      const marked = () =>
        page.evaluate(`[...CSS.highlights.get("found-here")].map((range) => {
        const line = range.getBoundingClientRect();
        const box = range.startContainer.parentElement.parentElement;
        const frame = box.getBoundingClientRect();
        return [box.closest("section").getAttribute("aria-label"), line.top >= frame.top && line.bottom <= frame.bottom];
      })[0]`);
      const [first] = (await marked()) as [string, boolean];
      await find.press("Enter");
      await expect(told).toHaveText("2 of 2");
      const [second, isSeen] = (await marked()) as [string, boolean];
      expect(new Set([first, second])).toEqual(new Set(["Output of poet", "Output of critic"]));
      expect(isSeen).toBe(true);
      await server.write(15);
      await expect(told).toHaveText("2 of 14");
      await find.fill("not in any output");
      await expect(told).toHaveText("none");
      await server.end();
      expect(errors).toEqual([]);
    });
});
