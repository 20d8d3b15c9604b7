import { tool } from "ai";
import { artifact, Flock } from "flock-ts";
import { scriptedModel } from "flock-ts/testing";
import { z } from "zod";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

const Article = artifact("Article", z.object({ title: z.string() }));
const Verdict = artifact(
  "Verdict",
  z.object({ grade: z.int().refine((grade) => grade !== 13, "that brings bad luck"), note: z.string().optional() }),
);
const Outcome = artifact("Outcome", z.object({ title: z.string(), grade: z.int() }));

test.describe("questions of agents", () => {
  test("are counted next to Publish, answered in a form, and let the run continue", async ({ page, errors }) => {
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
    await page.goto(`${server.url}/`);
    const navigation = page.getByRole("navigation", { name: "Screens" });
    await expect(navigation.getByText("Publish")).toBeVisible();
    await flock.publish([Article({ title: "A" }), Article({ title: "B" })]);
    await expect(navigation.getByText("2 open questions")).toBeVisible();
    await navigation.getByText("Publish").click();
    const question = page.getByRole("region", { name: "How good is B?" });
    await expect(question.getByText("It is about truffles.")).toBeVisible();
    await question.locator("form").getByLabel("grade").fill("13");
    await question.getByRole("button", { name: "Answer" }).click();
    await expect(question.getByText("that brings bad luck").first()).toBeVisible();
    await question.locator("form").getByLabel("grade").fill("2");
    await question.getByRole("button", { name: "Answer" }).click();
    await expect(page.getByText("Answered: How good is B?")).toBeVisible();
    await expect(navigation.getByText("1 open question")).toBeVisible();
    await expect.poll(() => flock.store.getByType(Outcome)).toEqual([{ title: "B", grade: 2 }]);
    // Another person answers first.
    await flock.answer(flock.questions()[0]!.id, Verdict({ grade: 1 }));
    await expect(page.getByRole("region", { name: "Open questions" })).toHaveCount(0);
    // Chromium logs the rejected answer. It must log nothing else.
    expect(errors.filter((error) => !/400/.test(error))).toEqual([]);
  });

  test("show the tool that a model wants to call, with arguments that a person can change", async ({ page }) => {
    const called: unknown[] = [];
    const send = tool({
      inputSchema: z.object({ to: z.string(), text: z.string() }),
      needsApproval: true,
      execute: (input) => {
        called.push(input);
        return "sent";
      },
    });
    const call = { name: "send", input: { to: "kim", text: "Truffles are out." } };
    const model = scriptedModel([{ tools: [call] }, Outcome({ title: "A", grade: 1 })]);
    const flock = new Flock({ model });
    flock.agent("editor").consumes(Article).publishes(Outcome).tools({ send });
    await using server = await startServer({ flock, dashboard: true });
    await flock.publish(Article({ title: "A" }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/publish`);
    const question = page.getByRole("region", { name: "Call the tool `send`?" });
    await expect(question.getByText("editor is waiting")).toContainText('"text": "Truffles are out."');
    await expect(question.locator("form").getByLabel("text")).toHaveValue("Truffles are out.");
    await question.locator("form").getByLabel("text").fill("Truffles are back.");
    await question.locator("form").getByLabel("approved").check();
    await question.getByRole("button", { name: "Answer" }).click();
    await expect.poll(() => called).toEqual([{ to: "kim", text: "Truffles are back." }]);
    await expect.poll(() => flock.store.getByType(Outcome)).toHaveLength(1);
  });
});
