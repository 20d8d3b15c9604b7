import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { z } from "zod";
import { delay } from "../support/delay.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

const Order = artifact(
  "Order",
  z.object({ customer: z.string().describe("Who is hungry"), dish: z.enum(["soup", "pie", "pineapple pizza"]) }),
);
const Ticket = artifact("Ticket", z.object({ dish: z.string() }));
const Dish = artifact("Dish", z.object({ name: z.string(), grams: z.number() }));
const Label = artifact("Label", z.object({ text: z.string() }));
const Parcel = artifact("Parcel", z.object({ dish: z.string(), label: z.string() }));

/** How long the cook works on each dish, in ms. */
const WORK_MS = 120;

/** Opens the oven. The cook of a pie waits for it. */
let openOven = () => {};

/** A kitchen with a slow agent, a failing one, a waiting one, and a run that does not end. */
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
      // The simulated work. Question 2 expects its duration in the table.
      await delay(WORK_MS);
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

let server: TestServer;
let page: Page;
// The questions build on each other, on one page and one server.
test.describe.configure({ mode: "serial" });

test.beforeAll(async ({ browser }) => {
  server = await startServer({ flock: kitchen(), components: [], dashboard: true });
  for (const dish of ["soup", "pineapple pizza", "pie", "soup"] as const) {
    await server.flock.publish(Order({ customer: "Ada", dish }));
  }
  page = await browser.newPage();
  await page.goto(server.url);
});
test.afterAll(async () => {
  openOven();
  await page.close();
  await server[Symbol.asyncDispose]();
});

const goTo = (screen: string) => page.getByRole("navigation").getByRole("link", { name: screen, exact: true }).click();
const rowOf = (agent: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name: agent }) });
const panelOf = (agent: string) => page.getByRole("complementary", { name: `Agent ${agent}` });
const runs = () => page.getByRole("list", { name: "Runs", exact: true }).getByRole("listitem");

test.describe("a new user finds out", () => {
  test("(1) what is happening right now", async () => {
    await expect(rowOf("cook").getByText("running")).toBeVisible();
    await expect(rowOf("taker").getByText("idle")).toBeVisible();
    await goTo("Live output");
    await expect(page.getByText("Chopping for pie.")).toBeVisible();
  });

  test("(2) which agent is slow, which fails, and why", async () => {
    await goTo("Agents");
    const heads = await page.getByRole("columnheader").allTextContents();
    const cell = async (agent: string, head: string) =>
      (await rowOf(agent).locator("th, td").allTextContents())[heads.indexOf(head)] ?? "";
    await expect(rowOf("inspector").getByText("error")).toBeVisible();
    expect(await cell("inspector", "Failed")).toBe("1");
    expect(Number.parseFloat(await cell("cook", "Mean time"))).toBeGreaterThanOrEqual(WORK_MS - 1);
    await page.getByRole("link", { name: "inspector" }).first().click();
    await expect(panelOf("inspector").getByText("Error: not in this house")).toBeVisible();
    await panelOf("inspector").getByRole("link", { name: "error" }).click();
    await expect(page.getByText("caused by RangeError: fruit on cheese")).toBeVisible();
  });

  test("(3) where an artifact comes from, and what became of it", async () => {
    await page.getByRole("article").getByRole("link", { name: "Dish", exact: true }).click();
    const lineage = page.getByRole("region", { name: "Lineage" });
    for (const type of ["Order", "Ticket", "Dish"])
      await expect(lineage.getByText(type, { exact: true })).toBeVisible();
    await expect(lineage.getByText("inspector")).toBeVisible();
  });

  test("(4) what a run has read, written, streamed and spent", async () => {
    await page.getByRole("article").getByRole("link", { name: "cook" }).first().click();
    const run = page.getByRole("article");
    await expect(run.getByRole("link", { name: "Ticket", exact: true })).toBeVisible();
    await expect(run.getByRole("link", { name: "Dish", exact: true })).toBeVisible();
    await expect(page.getByText("Chopping for pineapple pizza. Done.")).toBeVisible();
    await expect(page.getByText("321", { exact: true })).toBeVisible();
  });

  test("(5) why an agent has not run", async () => {
    await goTo("Agents");
    await page.getByRole("link", { name: "packer" }).first().click();
    await expect(panelOf("packer").getByText("Waiting for Label").first()).toBeVisible();
    await expect(panelOf("packer").getByText("No runs yet.")).toBeVisible();
  });

  test("(6) what happened at a certain time", async () => {
    await goTo("Runs");
    const failed = runs().filter({ hasText: "error" });
    const time = /\d\d:\d\d:\d\d\.\d{3}/.exec((await failed.textContent()) ?? "")?.[0] as string;
    await page.getByRole("button", { name: /Search or jump/ }).click();
    await page.getByRole("dialog").getByRole("combobox").fill(time);
    await page.getByRole("dialog").getByRole("option").first().click();
    // Later events are not visible at that time.
    await page.waitForURL(/seq=\d+/);
    await expect(page.getByText("Go live")).toBeVisible();
    await goTo("Blackboard");
    const dishes = page.getByRole("row").filter({ has: page.getByRole("link", { name: "Dish", exact: true }) });
    await expect(dishes.nth(1)).toBeVisible();
    expect(await dishes.count()).toBe(2);
    await page.getByRole("button", { name: "Go live" }).click();
  });

  test("(7) what happened in one workflow", async () => {
    await goTo("Runs");
    await runs().filter({ hasText: "inspector" }).getByRole("link", { name: /error/ }).click();
    await page.getByRole("link", { name: /^All runs of workflow/ }).click();
    await expect(runs()).toHaveCount(3);
    for (const agent of ["taker", "cook", "inspector"]) await expect(runs().filter({ hasText: agent })).toBeVisible();
  });

  test("(8) how to try it with other input", async () => {
    await goTo("Blackboard");
    const bad = page.getByRole("row").filter({ hasText: "Order" }).filter({ hasText: "pineapple pizza" });
    await bad.getByRole("link").click();
    await page.getByRole("link", { name: "Publish again with changes" }).click();
    await page.getByLabel(/^dish/).selectOption("soup");
    await page.getByRole("button", { name: "Publish Order" }).click();
    await expect(page.getByText("taker will run")).toBeVisible();
    await page.getByRole("link", { name: "Show artifact" }).click();
    await expect(page.getByRole("article", { name: "Artifact Order" }).getByText('"soup"')).toBeVisible();
  });

  test("(9) how to stop it", async () => {
    await goTo("Control");
    await page.getByRole("button", { name: "Pause taker" }).click();
    await expect(page.getByRole("status", { name: "Action results" }).getByText("taker").first()).toBeVisible();
    const running = page.getByRole("region", { name: "Running now" });
    await running.getByRole("button", { name: "Cancel run", exact: true }).click();
    await expect(page.getByRole("link", { name: /^Visible from seq/ }).first()).toBeVisible();
    await goTo("Agents");
    await expect(rowOf("taker").getByText("paused", { exact: true })).toBeVisible();
    await goTo("Runs");
    await expect(runs().filter({ hasText: "cancelled" }).first()).toBeVisible();
  });

  test("(10) whether the view is live, late or broken", async () => {
    const status = page.getByRole("status");
    await expect(status.getByText("Live", { exact: true })).toBeVisible();
    const { port } = server.server;
    await server.server.close();
    await expect(status.getByText(/Offline since \d\d:\d\d, showing seq \d+/)).toBeVisible();
    await server.flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port });
    await expect(status.getByText("Live", { exact: true })).toBeVisible();
  });
});
