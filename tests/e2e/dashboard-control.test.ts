import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const Order = artifact("Order", z.object({ dish: z.string() }));
const Wine = artifact("Wine", z.object({ grape: z.string() }));
const Plate = artifact("Plate", z.object({ dish: z.string() }));

/** A kitchen whose oven may be broken, and that never ends with a goulash. */
function kitchen() {
  const flock = new Flock();
  const oven = { isCold: false };
  flock
    .agent("chef")
    .consumes(Order)
    .publishes(Plate)
    .run(async ({ Order: { dish } }, { signal }) => {
      if (dish === "goulash") {
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      }
      if (oven.isCold) throw new RangeError("the oven is cold");
      return Plate({ dish });
    });
  flock
    .agent("sommelier")
    .consumes(Plate, Wine)
    .run(() => undefined);
  return { flock, oven };
}

const agentRow = (page: Page, name: string) =>
  page.getByRole("region", { name: "Agents" }).getByRole("listitem", { name, exact: true });

/** The answer that says from where on something is seen, and where that is. */
async function seenFrom(page: Page, words: string | RegExp): Promise<number> {
  const answer = page.getByRole("status", { name: "Answers" }).getByRole("listitem").filter({ hasText: words }).first();
  const link = answer.getByRole("link", { name: /^Visible from seq/ });
  await link.waitFor();
  return Number((await link.textContent())?.replace(/\D/g, ""));
}

describe("an agent is paused, and goes on", () => {
  it("what it is woken for is counted meanwhile, and runs then", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.getByRole("button", { name: "Pause chef" }).click();
    const seq = await seenFrom(page, "chef is paused.");
    expect(seq).toBeLessThanOrEqual(flock.stats().head);
    await agentRow(page, "chef").getByText("paused", { exact: true }).waitFor();
    await flock.publish([Order({ dish: "calzone" }), Order({ dish: "funghi" })]);
    await agentRow(page, "chef").getByText("2 wait").waitFor();
    // The same is told where the agent is looked at.
    await page.getByRole("navigation").getByRole("link", { name: "Agents" }).click();
    await page.locator(".react-flow__node", { hasText: "chef" }).getByText("2 wait").waitFor();
    await page.getByRole("table").getByRole("row", { name: /chef/ }).getByText("paused", { exact: true }).waitFor();
    const node = page.locator(".react-flow__node", { hasText: "sommelier" });
    await node.getByRole("button", { name: "Pause sommelier" }).click();
    await node.getByText("paused", { exact: true }).waitFor();
    await page
      .getByRole("table")
      .getByRole("row", { name: /sommelier/ })
      .getByRole("button", { name: "Resume sommelier" })
      .click();
    await node.getByRole("button", { name: "Pause sommelier" }).waitFor();
    await page.getByRole("table").getByRole("link", { name: "chef", exact: true }).click();
    await page.getByRole("complementary", { name: "Agent chef" }).getByRole("button", { name: "Resume chef" }).click();
    await page.getByRole("status", { name: "Answers" }).getByText("chef goes on.").waitFor();
    await flock.runUntilIdle();
    expect(flock.stats().runs).toMatchObject({ success: 2, queued: 0 });
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await seenFrom(page, "chef goes on.");
    await agentRow(page, "chef").getByRole("button", { name: "Pause chef" }).waitFor();
    expect(opened.errors).toEqual([]);
  });

  it("the link leads to the event, at its seq, where nothing can be done and it says why", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.getByRole("button", { name: "Pause sommelier" }).click();
    const seq = await seenFrom(page, "sommelier is paused.");
    await page.getByRole("link", { name: /^Visible from seq/ }).click();
    await page.waitForURL(new RegExp(`/events/${seq}\\?seq=${seq}$`));
    await page
      .getByRole("region", { name: `Event ${seq}` })
      .getByText("agent_paused")
      .first()
      .waitFor();
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await page.getByText(`This is how it was at seq ${seq}`).waitFor();
    const resume = page.getByRole("button", { name: "Resume sommelier" });
    expect(await resume.getAttribute("aria-disabled")).toBe("true");
    await resume.press("Enter");
    await page.getByRole("alert").getByText("Go back to live first").waitFor();
    expect(flock.agents().find(({ name }) => name === "sommelier")).toMatchObject({ paused: true });
    await page.keyboard.press("l");
    await resume.click();
    await seenFrom(page, "sommelier goes on.");
  });

  it("all of them only after a question that says how many, and by keyboard from the palette", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "goulash" }));
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.getByRole("region", { name: "Running now" }).getByRole("link", { name: "chef" }).waitFor();
    const palette = async (text: string) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill(text);
      await page
        .getByRole("dialog")
        .getByRole("option", { name: new RegExp(text, "i") })
        .first()
        .waitFor();
      await page.keyboard.press("Enter");
    };
    await palette("pause all");
    const dialog = page.getByRole("dialog", { name: "Pause 2 agents?" });
    await dialog.getByText("1 run that goes on now will end as usual.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
    await palette("pause all");
    await dialog.waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await seenFrom(page, "chef, sommelier are paused.");
    expect(flock.agents().every(({ paused }) => paused)).toBe(true);
    await palette("resume chef");
    await seenFrom(page, "chef goes on.");
    await palette("resume all");
    await seenFrom(page, "sommelier goes on.");
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
  });
});

describe("what goes on is cancelled", () => {
  it("a run that hangs, from the list of what runs and from the run itself", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish([Order({ dish: "goulash" }), Order({ dish: "goulash" })]);
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    const running = page.getByRole("region", { name: "Running now" });
    await running.getByRole("listitem").nth(1).waitFor();
    const cancel = running.getByRole("button", { name: "Cancel", exact: true });
    const place = await cancel.nth(1).boundingBox();
    await cancel.first().click();
    await seenFrom(page, "The run of chef is cancelled.");
    // What has ended keeps its row, so that the next click does not meet another run.
    await running.getByRole("listitem").first().getByText("cancelled").waitFor();
    expect(await cancel.count()).toBe(1);
    expect((await cancel.boundingBox())?.x).toBe(place?.x);
    await running.getByRole("link", { name: "chef" }).last().click();
    await page.getByRole("article").getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("article").getByText("cancelled").first().waitFor();
    await page
      .getByRole("status", { name: "Answers" })
      .getByRole("link", { name: /^Visible from seq/ })
      .last()
      .waitFor();
    expect(flock.stats().runs).toMatchObject({ cancelled: 2, running: 0 });
  });

  it("a whole workflow, after a question that says how many runs that are", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    const correlationId = "dinner-7";
    // Two of them run at a time, and one waits.
    for (let n = 0; n < 3; n++) await flock.publish(Order({ dish: "goulash" }), { correlationId });
    await flock.publish(Order({ dish: "goulash" }), { correlationId: "dinner-8" });
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.getByRole("button", { name: "Cancel workflow…" }).first().click();
    const dialog = page.getByRole("dialog", { name: /^Cancel workflow/ });
    await dialog.getByText("2 runs of it that go on now end as cancelled: chef × 2.").waitFor();
    await dialog.getByRole("button", { name: "Cancel 2 runs" }).click();
    await seenFrom(page, "3 runs of workflow");
    expect(flock.stats().runs).toMatchObject({ cancelled: 3 });
    expect(await flock.correlation("dinner-8")).toMatchObject({ state: "active" });
  });

  it("an attempt that is still to come", async () => {
    const flock = new Flock();
    flock
      .agent("chef")
      .consumes(Order)
      .retry({ attempts: 3, delay: 600_000, maxDelay: 600_000 })
      .run(() => {
        throw new RangeError("the oven is cold");
      });
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "calzone" }));
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    const waiting = page.getByRole("region", { name: "Waiting for another attempt" });
    await waiting.getByText(/attempt 1 ended with RangeError; the next one in \d+ min/).waitFor();
    await waiting.getByRole("button", { name: "Do not try again" }).click();
    await seenFrom(page, "The run of chef is cancelled.");
    await waiting.waitFor({ state: "detached" });
    expect(flock.stats().runs).toMatchObject({ cancelled: 1, queued: 0 });
  });
});

describe("what has failed for good", () => {
  it("is listed with what it was about, and run again when the cause is mended", async () => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish([Order({ dish: "calzone" }), Order({ dish: "funghi" }), Order({ dish: "marinara" })]);
    await flock.runUntilIdle();
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    const letters = page.getByRole("region", { name: "Dead letters" });
    const listed = letters.getByRole("listitem", { name: "Dead letter of chef" });
    await listed.nth(2).waitFor();
    await listed.first().getByText("RangeError: the oven is cold", { exact: true }).waitFor();
    await listed.first().getByText("1 attempt").waitFor();
    await listed
      .first()
      .getByRole("link", { name: /^Order/ })
      .click();
    await page.getByRole("article", { name: "Artifact Order" }).waitFor();
    await page.goBack();
    // While the cause is not mended, it comes back.
    await listed.first().getByRole("button", { name: "Run again" }).click();
    await seenFrom(page, "chef is to run again, as attempt 2.");
    await listed.filter({ hasText: "2 attempts" }).waitFor();
    // What fails meanwhile is told, and moves nothing until it is asked for.
    await flock.publish(Order({ dish: "quattro" }));
    await letters.getByRole("button", { name: "Show 1 newer" }).waitFor();
    expect(await listed.count()).toBe(3);
    await letters.getByRole("button", { name: "Show 1 newer" }).click();
    await expect.poll(() => listed.count()).toBe(4);

    oven.isCold = false;
    await listed.first().getByRole("button", { name: "Discard…" }).click();
    const question = page.getByRole("dialog", { name: "Discard this dead letter of chef?" });
    await question.getByText("This cannot be taken back.").waitFor();
    await question.getByRole("button", { name: "Leave it as it is" }).click();
    expect(flock.deadLetters()).toHaveLength(4);
    await listed.first().getByRole("button", { name: "Discard…" }).click();
    await question.getByRole("button", { name: "Discard it" }).click();
    await seenFrom(page, "The dead letter of chef is discarded.");
    await expect.poll(() => listed.count()).toBe(3);
    await flock.discardDeadLetter(flock.deadLetters()[0]?.id ?? "");
    await expect.poll(() => listed.count()).toBe(2);

    // From the run itself, without what has been answered before.
    await listed.first().getByRole("link", { name: "chef" }).click();
    await page.reload();
    await page.getByRole("article").getByRole("button", { name: "Run again" }).click();
    await page.getByRole("status", { name: "Answers" }).getByRole("link", { name: "Show the run" }).click();
    await page.getByRole("article").getByText("success").first().waitFor();
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await letters.getByLabel("Agent").selectOption("chef");
    await letters.getByRole("button", { name: "Run all again…" }).click();
    await page
      .getByRole("dialog", { name: "Run 1 dead letter again?" })
      .getByRole("button", { name: "Run 1 dead letter again" })
      .click();
    await seenFrom(page, "1 dead letter is queued again.");
    await letters.getByText("Nothing of chef has failed for good.").waitFor();
    await flock.runUntilIdle();
    expect(flock.deadLetters()).toEqual([]);
    expect(await flock.store.getByType(Plate)).toHaveLength(2);
    expect(opened.errors).toEqual([]);
  });

  it("that somebody else has dealt with is told in words, and leaves the list", async () => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "calzone" }));
    await flock.runUntilIdle();
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    const listed = page.getByRole("listitem", { name: "Dead letter of chef" });
    await listed.waitFor();
    await page.route("**/dead_letters/*/retry", async (route) => {
      await flock.discardDeadLetter(flock.deadLetters()[0]?.id ?? "");
      await route.continue();
    });
    await listed.getByRole("button", { name: "Run again" }).click();
    await page
      .getByRole("status", { name: "Answers" })
      .getByText(/it has been run again or discarded, or is too old. Somebody else may have been faster/)
      .waitFor();
    await listed.waitFor({ state: "detached" });
  });

  it("is read page by page", async () => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    for (let n = 0; n < 60; n++) await flock.publish(Order({ dish: `pizza ${n}` }));
    await flock.runUntilIdle();
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    const letters = page.getByRole("region", { name: "Dead letters" });
    await letters.getByText("50 and more").waitFor();
    await letters.getByRole("button", { name: "Show older ones" }).click();
    await letters.getByText("60", { exact: true }).waitFor();
    await letters.getByRole("button", { name: "Discard all…" }).click();
    await page
      .getByRole("dialog", { name: "Discard 60 dead letters?" })
      .getByRole("button", { name: "Discard 60 dead letters" })
      .click();
    await seenFrom(page, "60 dead letters are discarded.");
    await letters.getByText("Nothing has failed for good").waitFor();
    expect(flock.deadLetters()).toEqual([]);
  });
});

describe("an agent is invoked", () => {
  it("on what is written in a form, or begun with what is on the blackboard, and the answer leads to the run", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "calzone" }));
    await flock.runUntilIdle();
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await agentRow(page, "chef")
      .getByRole("link", { name: /^Invoke/ })
      .click();
    await page.waitForURL(/\/control\?invoke=chef/);
    await page.getByRole("button", { name: "Invoke chef" }).click();
    await page.getByText("is required", { exact: true }).waitFor();
    await page.getByLabel("Order: begin with one that is on the blackboard").selectOption({ index: 1 });
    const dish = page.locator("form").getByLabel("dish");
    await expect.poll(() => dish.inputValue()).toBe("calzone");
    await dish.fill("funghi");
    await page.getByRole("button", { name: "Invoke chef" }).click();
    await page
      .getByRole("status", { name: "Answer" })
      .getByRole("link", { name: /^Visible from seq/ })
      .waitFor();
    await page.getByRole("status", { name: "Answer" }).getByRole("link", { name: "Show the run" }).click();
    await page.getByRole("article", { name: "Run of chef" }).getByText("success").first().waitFor();
    expect((await flock.store.getByType(Plate)).map(({ dish }) => dish).sort()).toEqual(["calzone", "funghi"]);
  });

  it("on several inputs, one form each", async () => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await using opened = await browser.open(`${server.url}/control?invoke=sommelier`);
    const { page } = opened;
    for (const [type, field, value] of [
      ["Plate", "dish", "ossobuco"],
      ["Wine", "grape", "nebbiolo"],
    ] as const) {
      const input = page.getByRole("region", { name: `Input ${type}` });
      await input.locator("form").getByLabel(field).fill(value);
      await input.getByRole("button", { name: `Use as ${type}` }).click();
      await page.getByText(value).waitFor();
    }
    await page.getByRole("button", { name: "Invoke sommelier", exact: true }).click();
    await page.getByRole("link", { name: "Show the run" }).click();
    await page.getByRole("article", { name: "Run of sommelier" }).getByText("success").first().waitFor();
  });
});

const program = fileURLToPath(new URL("programs/kitchen.ts", import.meta.url));

describe("a server that goes away while something is asked of it", () => {
  it("is not believed to have done it: what is shown is what it tells when it is back", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const start = async (port: string) => {
      const server = new RunningProgram(["node", program, file, port]);
      return { server, port: (await server.line(/^port \d+/)).slice(5) };
    };
    const { server: first, port } = await start("0");
    await using _first = first;
    await using opened = await browser.open(`http://127.0.0.1:${port}/control`);
    const { page } = opened;
    await page.getByRole("button", { name: "Pause chef" }).waitFor();
    // It is there, and answers nothing.
    first.signal("SIGSTOP");
    await page.getByRole("button", { name: "Pause chef" }).click();
    const pending = page.getByRole("button", { name: "Pausing…" });
    await pending.waitFor();
    expect(await pending.getAttribute("aria-disabled")).toBe("true");
    expect(await agentRow(page, "chef").getByText("paused", { exact: true }).count()).toBe(0);
    first.signal("SIGKILL");
    const answers = page.getByRole("status", { name: "Answers" });
    await answers.getByText("The connection broke before the answer: it may have been done or not.").waitFor();
    await page.getByText("There is no connection to the server").waitFor();
    const button = page.getByRole("button", { name: "Pause chef" });
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    await using _second = (await start(port)).server;
    await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
    await expect.poll(() => button.getAttribute("aria-disabled")).toBe("false");
    await button.click();
    await seenFrom(page, "chef is paused.");
    await agentRow(page, "chef").getByText("paused", { exact: true }).waitFor();
  });
});

describe("who may not do everything", () => {
  it("is told why, and does what is left", async () => {
    const { flock, oven } = kitchen();
    const server = await flock.serve({
      port: 0,
      components: [new WebSocketServerComponent()],
      dashboard: true,
      principal: () => ({ kind: "client", name: "guest" }),
    });
    await using _ = { [Symbol.asyncDispose]: () => flock.shutdown() };
    oven.isCold = true;
    await flock.publish(Order({ dish: "calzone" }));
    await flock.publish(Order({ dish: "ragù" }), { visibility: { kind: "private", agents: ["chef"] } });
    await flock.runUntilIdle();
    oven.isCold = false;
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.getByText("Pausing concerns everybody's work").waitFor();
    const pause = page.getByRole("button", { name: "Pause chef" });
    expect(await pause.getAttribute("aria-disabled")).toBe("true");
    await pause.press("Enter");
    await page.getByRole("alert").getByText("it is for the owner of this flock alone").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("pause chef");
    await page.getByRole("dialog").getByRole("option", { name: "Pause chef" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("alert").getByText("it is for the owner of this flock alone").waitFor();
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
    // What others are not to see is not theirs to run again.
    const listed = page.getByRole("listitem", { name: "Dead letter of chef" });
    expect(await listed.count()).toBe(1);
    await listed.getByRole("button", { name: "Run again" }).click();
    await seenFrom(page, "chef is to run again, as attempt 2.");
    await flock.runUntilIdle();
    expect(flock.deadLetters()).toHaveLength(1);
  });
});

describe("everyone can use it", () => {
  it.for(["light", "dark"] as const)("no accessibility problem with much to control, %s", async (colorScheme) => {
    const { flock, oven } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    oven.isCold = true;
    await flock.publish(Order({ dish: "calzone" }));
    await flock.runUntilIdle();
    await flock.publish(Order({ dish: "goulash" }));
    await flock.pause("sommelier");
    await using opened = await browser.open(`${server.url}/control`);
    const { page } = opened;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.getByRole("listitem", { name: "Dead letter of chef" }).waitFor();
    await page.getByRole("button", { name: "Pause chef" }).click();
    await seenFrom(page, "chef is paused.");
    const look = async (what: string) => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), what).toBeLessThanOrEqual(0);
    };
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await look(`the screen at ${width} px`);
      await page.getByRole("button", { name: "Cancel workflow…" }).click();
      await look(`the question at ${width} px`);
      await page.keyboard.press("Escape");
      await agentRow(page, "chef")
        .getByRole("link", { name: /^Invoke/ })
        .click();
      await page.getByRole("button", { name: "Invoke chef" }).waitFor();
      await look(`the form at ${width} px`);
      await page.goBack();
    }
  });
});
