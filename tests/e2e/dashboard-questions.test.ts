import { artifact, Flock } from "flock-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const Article = artifact("Article", z.object({ title: z.string() }));
const Verdict = artifact(
  "Verdict",
  z.object({ grade: z.int().refine((grade) => grade !== 13, "that brings bad luck"), note: z.string().optional() }),
);
const Outcome = artifact("Outcome", z.object({ title: z.string(), grade: z.int() }));

describe("what an agent asks", () => {
  it("is counted beside Publish, answered by a form, and the run goes on", async () => {
    const flock = new Flock();
    flock
      .agent("editor")
      .consumes(Article)
      .publishes(Outcome)
      .run(async ({ Article: { title } }, ctx) => {
        const { grade } = await ctx.askPerson(Verdict, {
          question: `How good is ${title}?`,
          details: "It is about truffles.",
        });
        return Outcome({ title, grade });
      });
    await using server = await startServer({ flock, dashboard: true });
    await using opened = await browser.open(`${server.url}/`);
    const { page } = opened;
    const navigation = page.getByRole("navigation", { name: "Screens" });
    await navigation.getByText("Publish").waitFor();
    await flock.publish([Article({ title: "A" }), Article({ title: "B" })]);
    await navigation.getByText("2 questions for you").waitFor();
    await navigation.getByText("Publish").click();
    const question = page.getByRole("region", { name: "How good is B?" });
    await question.getByText("It is about truffles.").waitFor();
    await question.locator("form").getByLabel("grade").fill("13");
    await question.getByRole("button", { name: "Answer" }).click();
    await question.getByText("that brings bad luck").first().waitFor();
    await question.locator("form").getByLabel("grade").fill("2");
    await question.getByRole("button", { name: "Answer" }).click();
    await page.getByText("Answered: How good is B?").waitFor();
    await navigation.getByText("1 question for you").waitFor();
    await expect.poll(() => flock.store.getByType(Outcome)).toEqual([{ title: "B", grade: 2 }]);
    // Somebody else may be faster.
    await flock.answer(flock.questions()[0]!.id, Verdict({ grade: 1 }));
    await page.getByRole("region", { name: "Open questions" }).waitFor({ state: "detached" });
    // What was refused is in the console of the browser, and nothing else is.
    expect(opened.errors.filter((error) => !/400/.test(error))).toEqual([]);
  });
});
