import { tool } from "ai";
import { Flock } from "flock-ts";
import { resolveModel } from "flock-ts/engines/ai";
import { z } from "zod";
import { callsTool, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

/** Serves a chef whose model calls a tool, and a taster that fails on its first attempt. */
async function served() {
  const models = await ModelServer.start(callsTool("larder", {}), callsTool("larder", {}), saysJson(PIZZA));
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: models.url });
  const flock = new Flock({ model, prices: { "test-model": { input: 2, output: 8 } } });
  const look = Promise.withResolvers<string>();
  let looked = 0;
  const execute = (): Promise<string> => {
    looked += 1;
    if (looked > 1) return look.promise;
    throw new RangeError("no such shelf", { cause: new Error("the light is broken") });
  };
  flock
    .agent("chef")
    .consumes(Idea)
    .publishes(Pizza)
    .tools({ larder: tool({ inputSchema: z.object({}), execute }) });
  flock
    .agent("taster")
    .consumes(Pizza)
    .retry({ attempts: 2, delay: 1 })
    .run(async (_, { step, attempt }) => {
      await step("tool", "oven", () => {
        if (attempt === 1) throw new Error("burnt", { cause: new Error("too hot") });
      });
    });
  const server = await startServer({ flock, components: [], dashboard: true });
  await flock.publish(Idea({ description: "truffle" }));
  return {
    server,
    /** Completes the second tool call and waits until all agents are idle. */
    async goOn() {
      look.resolve("truffle");
      await flock.runUntilIdle();
    },
    async [Symbol.asyncDispose]() {
      look.resolve("truffle");
      await server[Symbol.asyncDispose]();
      await models[Symbol.asyncDispose]();
    },
  };
}
const PIZZA = { name: "Tartufo", toppings: ["truffle"] };

test.describe("model and tool calls of a run", () => {
  test("appear while the run is active, and later with duration, cost and errors", async ({ page }) => {
    await using at = await served();
    await page.goto(`${at.server.url}/runs`);
    const steps = page.getByRole("region", { name: "Steps" });
    await expect(steps.getByRole("row", { name: /tool larder/ }).filter({ hasText: "running" })).toBeVisible();
    const bar = page.getByRole("list", { name: "Runs of this workflow" }).getByRole("link", { name: /^chef, running/ });
    expect(await bar.getAttribute("aria-label")).toMatch(/2 model calls in .*, 2 tool calls in .*, 1 failed/);
    expect(await bar.locator(".step-model").count()).toBe(2);
    expect(await bar.locator(".step-tool").count()).toBe(2);
    await at.goOn();
    await page.getByRole("link", { name: /chef/ }).first().click();
    await expect(steps.getByRole("row", { name: /tool larder/ }).filter({ hasText: "success" })).toBeVisible();
    expect(await steps.getByRole("columnheader").allTextContents()).toEqual([
      "Step",
      "Status",
      "Start",
      "Duration",
      "input tokens",
      "output tokens",
      "total tokens",
      "cost",
    ]);
    const model = steps.getByRole("row", { name: /model test-model/ });
    expect(await model.count()).toBe(3);
    expect(await model.first().getByRole("cell").last().textContent()).toBe("0.000028");
    await expect(page.getByText("RangeError: no such shelf", { exact: true })).toBeVisible();
    await expect(page.getByText("caused by Error: the light is broken")).toBeVisible();
  });

  test("appear in the flame view by name", async ({ page }) => {
    await using at = await served();
    await at.goOn();
    await page.goto(`${at.server.url}/runs?view=flame`);
    const called = page.getByRole("list", { name: "Steps of chef" }).getByRole("listitem");
    await expect(called.first()).toBeVisible();
    const words = await called.allTextContents();
    expect(words[0]).toMatch(/^model test-model, success after/);
    expect(words[1]).toMatch(/^tool larder, error after/);
  });
});

test.describe("a failed run", () => {
  test("shows its stack, its cause and its attempts, and copies the error", async ({ page }) => {
    await using at = await served();
    await at.goOn();
    await page.goto(`${at.server.url}/runs?agent=taster&status=failed`);
    const run = page.getByRole("article", { name: "Run of taster" });
    await expect(run.getByRole("alert").getByText("Error: burnt")).toBeVisible();
    await expect(run.getByText("caused by Error: too hot").first()).toBeVisible();
    const summary = run.getByText("Stack of Error").first();
    await summary.focus();
    await page.keyboard.press("Enter");
    await expect(run.getByText(/at .*run-steps\.spec\.ts/).first()).toBeVisible();
    const attempts = run.getByRole("region", { name: "Attempts" });
    expect(await attempts.getByRole("listitem").count()).toBe(2);
    await expect(
      attempts
        .getByRole("listitem")
        .filter({ hasText: "Error: burnt" })
        .getByText(/retried at/),
    ).toBeVisible();
    await attempts.getByRole("link", { name: "Attempt 2" }).click();
    await expect(run.getByText("success").first()).toBeVisible();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await attempts.getByRole("link", { name: "Attempt 1" }).click();
    await run.getByRole("button", { name: "Copy error" }).first().click();
    await expect(run.getByText("Copied").first()).toBeAttached();
    expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/^Error: burnt\n.*caused by Error: too hot/s);
  });
});

test.describe("accessibility", () => {
  for (const colorScheme of ["light", "dark"] as const)
    test(`axe reports nothing serious, wide and narrow (${colorScheme})`, async ({ page }) => {
      await using at = await served();
      await at.goOn();
      await page.goto(`${at.server.url}/runs`);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.getByRole("link", { name: /chef/ }).first().click();
      const run = new URL(page.url()).pathname;
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        for (const view of ["", "?view=flame"]) {
          await page.goto(`${at.server.url}${run}${view}`);
          await expect(page.getByRole("region", { name: "Steps" }).getByRole("row").nth(2)).toBeVisible();
          await expect(page.getByRole("status").getByText("Live")).toBeVisible();
          expect(await seriousViolationsOf(page), `at ${width} px${view}`).toEqual([]);
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(overflow, `at ${width} px`).toBeLessThanOrEqual(0);
        }
      }
    });
});
