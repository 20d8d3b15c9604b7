import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

describe("Integration with Dashboard", () => {
  it("the dashboard connects automatically and shows events live", async () => {
    await using server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
    await using opened = await browser.open(server.url);
    const { page, errors } = opened;
    await page.getByRole("status").getByText("Live").waitFor();
    expect(server.websocket.connectionCount).toBe(1);
    await page.getByRole("link", { name: "Runs" }).click();
    await page.getByText("No agent has run yet").waitFor();
    await server.flock.publish(Idea({ description: "truffle" }));
    await page.getByText("Thinking about truffle").waitFor();
    expect(errors).toEqual([]);
  });
});
