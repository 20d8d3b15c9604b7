import { AxeBuilder } from "@axe-core/playwright";
import { tool } from "ai";
import { Flock } from "flock-ts";
import { resolveModel } from "flock-ts/engines/ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { callsTool, ModelServer, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** A kitchen with its dashboard: a model that looks into the larder, and a taster who fails at first. */
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
    /** The second look into the larder comes to its end, and so does all else. */
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

describe("what a run calls is seen inside it", () => {
  it("while it goes on, then with what it took, spent and failed of", async () => {
    await using at = await served();
    await using opened = await browser.open(`${at.server.url}/runs`);
    const { page } = opened;
    const steps = page.getByRole("region", { name: "Steps" });
    await steps
      .getByRole("row", { name: /tool larder/ })
      .filter({ hasText: "running" })
      .waitFor();
    const bar = page.getByRole("list", { name: "Runs of this workflow" }).getByRole("link", { name: /^chef, running/ });
    expect(await bar.getAttribute("aria-label")).toMatch(/2 model calls of .*, 2 tool calls of .*, 1 failed/);
    expect(await bar.locator(".step-model").count()).toBe(2);
    expect(await bar.locator(".step-tool").count()).toBe(2);
    await at.goOn();
    await page.getByRole("link", { name: /chef/ }).first().click();
    await steps
      .getByRole("row", { name: /tool larder/ })
      .filter({ hasText: "success" })
      .waitFor();
    expect(await steps.getByRole("columnheader").allTextContents()).toEqual([
      "What",
      "Status",
      "After",
      "Took",
      "input tokens",
      "output tokens",
      "total tokens",
      "cost",
    ]);
    const model = steps.getByRole("row", { name: /model test-model/ });
    expect(await model.count()).toBe(3);
    expect(await model.first().getByRole("cell").last().textContent()).toBe("0.000028");
    await page.getByText("RangeError: no such shelf", { exact: true }).waitFor();
    await page.getByText("because of Error: the light is broken").waitFor();
  });

  it("in the flame view below it, by name", async () => {
    await using at = await served();
    await at.goOn();
    await using opened = await browser.open(`${at.server.url}/runs?view=flame`);
    const called = opened.page.getByRole("list", { name: "What chef called" }).getByRole("listitem");
    await called.first().waitFor();
    const words = await called.allTextContents();
    expect(words[0]).toMatch(/^model test-model, success after/);
    expect(words[1]).toMatch(/^tool larder, error after/);
  });
});

describe("a run that failed says why", () => {
  it("with where and what lay under it, by keyboard, among its attempts", async () => {
    await using at = await served();
    await at.goOn();
    await using opened = await browser.open(`${at.server.url}/runs?agent=taster&status=failed`);
    const { page } = opened;
    const run = page.getByRole("article", { name: "Run of taster" });
    await run.getByRole("alert").getByText("Error: burnt").waitFor();
    await run.getByText("because of Error: too hot").first().waitFor();
    const summary = run.getByText("Stack of Error").first();
    await summary.focus();
    await page.keyboard.press("Enter");
    await run
      .getByText(/at .*dashboard-steps\.test\.ts/)
      .first()
      .waitFor();
    const attempts = run.getByRole("region", { name: "Attempts" });
    expect(await attempts.getByRole("listitem").count()).toBe(2);
    await attempts
      .getByRole("listitem")
      .filter({ hasText: "Error: burnt" })
      .getByText(/tried again at/)
      .waitFor();
    await attempts.getByRole("link", { name: "Attempt 2" }).click();
    await run.getByText("success").first().waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await attempts.getByRole("link", { name: "Attempt 1" }).click();
    await run.getByRole("button", { name: "Copy the error" }).first().click();
    await run.getByText("Copied").first().waitFor({ state: "attached" });
    expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/^Error: burnt\n.*caused by Error: too hot/s);
  });
});

describe("everyone can use it", () => {
  it.for(["light", "dark"] as const)("no serious accessibility problem, %s, wide and narrow", async (colorScheme) => {
    await using at = await served();
    await at.goOn();
    await using opened = await browser.open(`${at.server.url}/runs`);
    const { page } = opened;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.getByRole("link", { name: /chef/ }).first().click();
    const run = new URL(page.url()).pathname;
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      for (const view of ["", "?view=flame"]) {
        await page.goto(`${at.server.url}${run}${view}`);
        await page.getByRole("region", { name: "Steps" }).getByRole("row").nth(2).waitFor();
        await page.getByRole("status").getByText("Live").waitFor();
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        expect(serious.map(({ id, nodes }) => `${width}${view}: ${id} ${nodes[0]?.html}`)).toEqual([]);
        const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect(overflow, `at ${width} px`).toBeLessThanOrEqual(0);
      }
    }
  });
});
