import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type OpenPage, type TestBrowser } from "../support/browser.ts";
import { startServer, type TestServer } from "../support/server.ts";

const Order = artifact(
  "Order",
  z.object({ customer: z.string().describe("Who is hungry"), dish: z.enum(["soup", "pie", "pineapple pizza"]) }),
);
const Ticket = artifact("Ticket", z.object({ dish: z.string() }));
const Dish = artifact("Dish", z.object({ name: z.string(), grams: z.number() }));
const Label = artifact("Label", z.object({ text: z.string() }));
const Parcel = artifact("Parcel", z.object({ dish: z.string(), label: z.string() }));

/** Opens the oven: until then the cook waits in front of it. */
let openOven = () => {};

/** A kitchen in which something is slow, something fails, something waits, and something goes on. */
function kitchen(): Flock {
  const flock = new Flock();
  const baked = new Promise<void>((resolve) => {
    openOven = resolve;
  });
  flock
    .agent("taker")
    .description("Writes tickets for the kitchen")
    .consumes(Order)
    .publishes(Ticket)
    .run(({ Order: { dish } }) => Ticket({ dish }));
  flock
    .agent("cook")
    .description("Cooks what a ticket says")
    .consumes(Ticket)
    .publishes(Dish)
    .concurrency(1)
    .run(async function* ({ Ticket: { dish } }, { addUsage, signal }) {
      yield `Chopping for ${dish}. `;
      await new Promise((resolve) => setTimeout(resolve, 120));
      if (dish === "pie")
        await Promise.race([baked, new Promise((_, reject) => signal.addEventListener("abort", reject))]);
      addUsage({ total_tokens: 321 });
      yield "Done.";
      return Dish({ name: dish, grams: 350 });
    });
  flock
    .agent("inspector")
    .description("Tastes every dish")
    .consumes(Dish)
    .run(({ Dish: { name } }) => {
      if (name === "pineapple pizza")
        throw new Error("not in this house", { cause: new RangeError("fruit on cheese") });
    });
  flock
    .agent("packer")
    .description("Packs a dish with its label")
    .consumes(Dish, Label)
    .publishes(Parcel)
    .run(({ Dish: { name }, Label: { text } }) => Parcel({ dish: name, label: text }));
  return flock;
}

let browser: TestBrowser;
let server: TestServer;
let opened: OpenPage;
let page: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer({ flock: kitchen(), components: [], dashboard: true });
  for (const dish of ["soup", "pineapple pizza", "pie", "soup"] as const) {
    await server.flock.publish(Order({ customer: "Ada", dish }));
  }
  opened = await browser.open(server.url);
  page = opened.page;
});
afterAll(async () => {
  openOven();
  await opened[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browser[Symbol.asyncDispose]();
});

const goTo = (screen: string) => page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
const rowOf = (agent: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name: agent }) });
const panelOf = (agent: string) => page.getByRole("complementary", { name: `Agent ${agent}` });
const runs = () => page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem");

describe("a person finds out, without documentation,", () => {
  it("(1) what is happening right now", async () => {
    await rowOf("cook").getByText("running").waitFor();
    await rowOf("taker").getByText("idle").waitFor();
    await goTo("Live output");
    await page.getByText("Chopping for pie.").waitFor();
  });

  it("(2) which agent is slow, which fails, and why", async () => {
    await goTo("Agents");
    const heads = await page.getByRole("columnheader").allTextContents();
    const cell = async (agent: string, head: string) =>
      (await rowOf(agent).locator("th, td").allTextContents())[heads.indexOf(head)] ?? "";
    await rowOf("inspector").getByText("error").waitFor();
    expect(await cell("inspector", "Failed")).toBe("1");
    expect(Number.parseFloat(await cell("cook", "Mean time"))).toBeGreaterThanOrEqual(119);
    await page.getByRole("link", { name: "inspector" }).first().click();
    await panelOf("inspector").getByText("Error: not in this house").waitFor();
    await panelOf("inspector").getByRole("link", { name: "error" }).click();
    await page.getByText("because of RangeError: fruit on cheese").waitFor();
  });

  it("(3) where an artifact comes from, and what became of it", async () => {
    await page.getByRole("article").getByRole("link", { name: "Dish", exact: true }).click();
    const lineage = page.getByRole("region", { name: "Lineage" });
    for (const type of ["Order", "Ticket", "Dish"]) await lineage.getByText(type, { exact: true }).waitFor();
    await lineage.getByText("inspector").waitFor();
  });

  it("(4) what a run has read, written, streamed and spent", async () => {
    await page.getByRole("article").getByRole("link", { name: "cook" }).first().click();
    const run = page.getByRole("article");
    await run.getByRole("link", { name: "Ticket", exact: true }).waitFor();
    await run.getByRole("link", { name: "Dish", exact: true }).waitFor();
    await page.getByText("Chopping for pineapple pizza. Done.").waitFor();
    await page.getByText("321", { exact: true }).waitFor();
  });

  it("(5) why an agent has not run", async () => {
    await goTo("Agents");
    await page.getByRole("link", { name: "packer" }).first().click();
    await panelOf("packer").getByText("Waits for Label").first().waitFor();
    await panelOf("packer").getByText("It has not run yet.").waitFor();
  });

  it("(6) what happened at a certain time", async () => {
    await goTo("Runs");
    const failed = runs().filter({ hasText: "error" });
    const time = /\d\d:\d\d:\d\d\.\d{3}/.exec((await failed.textContent()) ?? "")?.[0] as string;
    await page.getByRole("button", { name: /Search or jump/ }).click();
    await page.getByRole("dialog").getByRole("combobox").fill(time);
    await page.getByRole("dialog").getByRole("option").first().click();
    // As it was then: what came later is not there yet.
    await page.waitForURL(/seq=\d+/);
    await page.getByText("Go live").waitFor();
    await goTo("Blackboard");
    const dishes = page.getByRole("row").filter({ has: page.getByRole("link", { name: "Dish", exact: true }) });
    await dishes.nth(1).waitFor();
    expect(await dishes.count()).toBe(2);
    await page.getByRole("button", { name: "Go live" }).click();
  });

  it("(7) what happened in one workflow", async () => {
    await goTo("Runs");
    await runs().filter({ hasText: "inspector" }).getByRole("link", { name: /error/ }).click();
    await page.getByRole("link", { name: /^All runs of workflow/ }).click();
    await expect.poll(() => runs().count()).toBe(3);
    for (const agent of ["taker", "cook", "inspector"]) await runs().filter({ hasText: agent }).waitFor();
  });

  it("(8) how to try it with other input", async () => {
    await goTo("Blackboard");
    const bad = page.getByRole("row").filter({ hasText: "Order" }).filter({ hasText: "pineapple pizza" });
    await bad.getByRole("link").click();
    await page.getByRole("link", { name: "Publish again with changes" }).click();
    await page.getByLabel(/^dish/).selectOption("soup");
    await page.getByRole("button", { name: "Publish Order" }).click();
    await page.getByText("taker will run").waitFor();
    await page.getByRole("link", { name: "Show the artifact" }).click();
    await page.getByRole("article", { name: "Artifact Order" }).getByText('"soup"').waitFor();
  });

  it("(9) how to stop it", async () => {
    await goTo("Control");
    await page.getByRole("button", { name: "Pause taker" }).click();
    await page.getByRole("status", { name: "Answers" }).getByText("taker").first().waitFor();
    const running = page.getByRole("region", { name: "Running now" });
    await running.getByRole("button", { name: "Cancel", exact: true }).click();
    await page
      .getByRole("link", { name: /^Visible from seq/ })
      .first()
      .waitFor();
    await goTo("Agents");
    await rowOf("taker").getByText("paused", { exact: true }).waitFor();
    await goTo("Runs");
    await runs().filter({ hasText: "cancelled" }).first().waitFor();
  });

  it("(10) whether the view is live, late or broken", async () => {
    const status = page.getByRole("status");
    await status.getByText("Live", { exact: true }).waitFor();
    const { port } = server.server;
    await server.server.close();
    await status.getByText(/Offline since \d\d:\d\d, showing seq \d+/).waitFor();
    await server.flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
    await status.getByText("Live", { exact: true }).waitFor();
  });
});
