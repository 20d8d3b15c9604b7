import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { violationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

const Order = artifact("Order", z.object({ dish: z.string() }));
const Wine = artifact("Wine", z.object({ grape: z.string() }));
const Plate = artifact("Plate", z.object({ dish: z.string() }));

/** A kitchen whose oven can fail and whose goulash runs until it is cancelled. */
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

/** Waits for an answer and returns the seq from which on its effect is visible. */
async function seenFrom(page: Page, words: string | RegExp): Promise<number> {
  const answer = page
    .getByRole("status", { name: "Action results" })
    .getByRole("listitem")
    .filter({ hasText: words })
    .first();
  const link = answer.getByRole("link", { name: /^Visible from seq/ });
  await expect(link).toBeVisible();
  return Number((await link.textContent())?.replace(/\D/g, ""));
}

test.describe("pausing and resuming agents", () => {
  test("counts activations of a paused agent and runs them after the resume", async ({ page, errors }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await page.goto(`${server.url}/control`);
    await page.getByRole("button", { name: "Pause chef" }).click();
    const seq = await seenFrom(page, "chef is paused.");
    expect(seq).toBeLessThanOrEqual(flock.stats().head);
    await expect(agentRow(page, "chef").getByText("paused", { exact: true })).toBeVisible();
    await flock.publish([Order({ dish: "calzone" }), Order({ dish: "funghi" })]);
    await expect(agentRow(page, "chef").getByText("2 queued")).toBeVisible();
    // The Agents screen shows the same state.
    await page.getByRole("navigation").getByRole("link", { name: "Agents" }).click();
    await expect(page.locator(".react-flow__node", { hasText: "chef" }).getByText("2 queued")).toBeVisible();
    await expect(
      page.getByRole("table").getByRole("row", { name: /chef/ }).getByText("paused", { exact: true }),
    ).toBeVisible();
    const node = page.locator(".react-flow__node", { hasText: "sommelier" });
    await node.getByRole("button", { name: "Pause sommelier" }).click();
    await expect(node.getByText("paused", { exact: true })).toBeVisible();
    await page
      .getByRole("table")
      .getByRole("row", { name: /sommelier/ })
      .getByRole("button", { name: "Resume sommelier" })
      .click();
    await expect(node.getByRole("button", { name: "Pause sommelier" })).toBeVisible();
    await page.getByRole("table").getByRole("link", { name: "chef", exact: true }).click();
    await page.getByRole("complementary", { name: "Agent chef" }).getByRole("button", { name: "Resume chef" }).click();
    await expect(page.getByRole("status", { name: "Action results" }).getByText("chef resumed.")).toBeVisible();
    await flock.runUntilIdle();
    expect(flock.stats().runs).toMatchObject({ success: 2, queued: 0 });
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await seenFrom(page, "chef resumed.");
    await expect(agentRow(page, "chef").getByRole("button", { name: "Pause chef" })).toBeVisible();
    expect(errors).toEqual([]);
  });

  test("the answer links to the event in the past, where controls are disabled with a reason", async ({ page }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await page.goto(`${server.url}/control`);
    await page.getByRole("button", { name: "Pause sommelier" }).click();
    const seq = await seenFrom(page, "sommelier is paused.");
    await page.getByRole("link", { name: /^Visible from seq/ }).click();
    await page.waitForURL(new RegExp(`/events/${seq}\\?seq=${seq}$`));
    await expect(
      page
        .getByRole("region", { name: `Event ${seq}` })
        .getByText("agent_paused")
        .first(),
    ).toBeVisible();
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await expect(page.getByText(`You are viewing the state at seq ${seq}`)).toBeVisible();
    const resume = page.getByRole("button", { name: "Resume sommelier" });
    expect(await resume.getAttribute("aria-disabled")).toBe("true");
    await resume.press("Enter");
    await expect(page.getByRole("alert").getByText("Go live first")).toBeVisible();
    expect(flock.agents().find(({ name }) => name === "sommelier")).toMatchObject({ paused: true });
    await page.keyboard.press("l");
    await resume.click();
    await seenFrom(page, "sommelier resumed.");
  });

  test("pauses and resumes all agents from the palette by keyboard, after a confirmation with the count", async ({
    page,
  }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "goulash" }));
    await page.goto(`${server.url}/control`);
    await expect(page.getByRole("region", { name: "Running now" }).getByRole("link", { name: "chef" })).toBeVisible();
    const palette = async (text: string) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill(text);
      await expect(
        page
          .getByRole("dialog")
          .getByRole("option", { name: new RegExp(text, "i") })
          .first(),
      ).toBeVisible();
      await page.keyboard.press("Enter");
    };
    await palette("pause all");
    const dialog = page.getByRole("dialog", { name: "Pause 2 agents?" });
    await expect(dialog.getByText("1 run in progress will finish normally.")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
    await palette("pause all");
    await expect(dialog).toBeVisible();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await seenFrom(page, "chef, sommelier are paused.");
    expect(flock.agents().every(({ paused }) => paused)).toBe(true);
    await palette("resume chef");
    await seenFrom(page, "chef resumed.");
    await palette("resume all");
    await seenFrom(page, "sommelier resumed.");
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
  });
});

test.describe("cancelling runs", () => {
  test("cancels a hanging run from the list of running runs and from its own page", async ({ page }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish([Order({ dish: "goulash" }), Order({ dish: "goulash" })]);
    await page.goto(`${server.url}/control`);
    const running = page.getByRole("region", { name: "Running now" });
    await expect(running.getByRole("listitem").nth(1)).toBeVisible();
    const cancel = running.getByRole("button", { name: "Cancel run", exact: true });
    const place = await cancel.nth(1).boundingBox();
    await cancel.first().click();
    await seenFrom(page, "The run of chef is cancelled.");
    // An ended run keeps its row, so that the next click cannot hit another run.
    await expect(running.getByRole("listitem").first().getByText("cancelled")).toBeVisible();
    expect(await cancel.count()).toBe(1);
    expect((await cancel.boundingBox())?.x).toBe(place?.x);
    await running.getByRole("link", { name: "chef" }).last().click();
    await page.getByRole("article").getByRole("button", { name: "Cancel run", exact: true }).click();
    await expect(page.getByRole("article").getByText("cancelled").first()).toBeVisible();
    await expect(
      page
        .getByRole("status", { name: "Action results" })
        .getByRole("link", { name: /^Visible from seq/ })
        .last(),
    ).toBeVisible();
    expect(flock.stats().runs).toMatchObject({ cancelled: 2, running: 0 });
  });

  test("cancels a workflow after a confirmation with the number of runs", async ({ page }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    const correlationId = "dinner-7";
    // Two of them run at a time. The third is queued.
    for (let n = 0; n < 3; n++) await flock.publish(Order({ dish: "goulash" }), { correlationId });
    await flock.publish(Order({ dish: "goulash" }), { correlationId: "dinner-8" });
    await page.goto(`${server.url}/control`);
    await page.getByRole("button", { name: "Cancel workflow…" }).first().click();
    const dialog = page.getByRole("dialog", { name: /^Cancel workflow/ });
    await expect(dialog.getByText("2 active runs will be cancelled: chef × 2.")).toBeVisible();
    await dialog.getByRole("button", { name: "Cancel 2 runs" }).click();
    await seenFrom(page, "3 runs of workflow");
    expect(flock.stats().runs).toMatchObject({ cancelled: 3 });
    expect(await flock.correlation("dinner-8")).toMatchObject({ state: "active" });
  });

  test("cancels a scheduled retry", async ({ page }) => {
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
    await page.goto(`${server.url}/control`);
    const waiting = page.getByRole("region", { name: "Waiting for retry" });
    await expect(waiting.getByText(/attempt 1 failed with RangeError; next attempt in \d+ min/)).toBeVisible();
    await waiting.getByRole("button", { name: "Cancel retry" }).click();
    await seenFrom(page, "The run of chef is cancelled.");
    await expect(waiting).toHaveCount(0);
    expect(flock.stats().runs).toMatchObject({ cancelled: 1, queued: 0 });
  });
});

test.describe("dead letters", () => {
  test("are listed with their cause, retried and discarded", async ({ page, errors }) => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish([Order({ dish: "calzone" }), Order({ dish: "funghi" }), Order({ dish: "marinara" })]);
    await flock.runUntilIdle();
    await page.goto(`${server.url}/control`);
    const letters = page.getByRole("region", { name: "Dead letters" });
    const listed = letters.getByRole("listitem", { name: "Dead letter of chef" });
    await expect(listed.nth(2)).toBeVisible();
    await expect(listed.first().getByText("RangeError: the oven is cold", { exact: true })).toBeVisible();
    await expect(listed.first().getByText("1 attempt")).toBeVisible();
    await listed
      .first()
      .getByRole("link", { name: /^Order/ })
      .click();
    await expect(page.getByRole("article", { name: "Artifact Order" })).toBeVisible();
    await page.goBack();
    // The retry fails again while the cause persists.
    await listed.first().getByRole("button", { name: "Retry" }).click();
    await seenFrom(page, "Retry queued for chef: attempt 2.");
    await expect(listed.filter({ hasText: "2 attempts" })).toBeVisible();
    // A new failure is announced and moves no row until the user asks for it.
    await flock.publish(Order({ dish: "quattro" }));
    await expect(letters.getByRole("button", { name: "Show 1 newer" })).toBeVisible();
    expect(await listed.count()).toBe(3);
    await letters.getByRole("button", { name: "Show 1 newer" }).click();
    await expect(listed).toHaveCount(4);

    oven.isCold = false;
    await listed.first().getByRole("button", { name: "Discard…" }).click();
    const question = page.getByRole("dialog", { name: "Discard this dead letter of chef?" });
    await expect(question.getByText("This cannot be undone.")).toBeVisible();
    await question.getByRole("button", { name: "Go back" }).click();
    expect(await flock.deadLetters()).toHaveLength(4);
    await listed.first().getByRole("button", { name: "Discard…" }).click();
    await question.getByRole("button", { name: "Discard dead letter" }).click();
    await seenFrom(page, "The dead letter of chef is discarded.");
    await expect(listed).toHaveCount(3);
    await flock.discardDeadLetter((await flock.deadLetters())[0]?.id ?? "");
    await expect(listed).toHaveCount(2);

    // Retry from the run's page. The reload clears earlier answers.
    await listed.first().getByRole("link", { name: "chef" }).click();
    await page.reload();
    await page.getByRole("article").getByRole("button", { name: "Retry" }).click();
    await page.getByRole("status", { name: "Action results" }).getByRole("link", { name: "Show run" }).click();
    await expect(page.getByRole("article").getByText("success").first()).toBeVisible();
    await page.getByRole("navigation").getByRole("link", { name: "Control" }).click();
    await letters.getByLabel("Agent").selectOption("chef");
    await letters.getByRole("button", { name: "Retry all…" }).click();
    await page
      .getByRole("dialog", { name: "Retry 1 dead letter?" })
      .getByRole("button", { name: "Retry 1 dead letter" })
      .click();
    await seenFrom(page, "1 dead letter is queued again.");
    await expect(letters.getByText("No dead letters for chef.")).toBeVisible();
    await flock.runUntilIdle();
    expect(await flock.deadLetters()).toEqual([]);
    expect(await flock.store.getByType(Plate)).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  test("handled by another user are reported and leave the list", async ({ page }) => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "calzone" }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/control`);
    const listed = page.getByRole("listitem", { name: "Dead letter of chef" });
    await expect(listed).toBeVisible();
    await page.route("**/dead_letters/*/retry", async (route) => {
      await flock.discardDeadLetter((await flock.deadLetters())[0]?.id ?? "");
      await route.continue();
    });
    await listed.getByRole("button", { name: "Retry" }).click();
    await expect(
      page
        .getByRole("status", { name: "Action results" })
        .getByText(/It was run again, discarded or dropped\. Another user may have acted first/),
    ).toBeVisible();
    await expect(listed).toHaveCount(0);
  });

  test("are loaded page by page", async ({ page }) => {
    const { flock, oven } = kitchen();
    oven.isCold = true;
    await using server = await startServer({ flock, components: [], dashboard: true });
    for (let n = 0; n < 60; n++) await flock.publish(Order({ dish: `pizza ${n}` }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/control`);
    const letters = page.getByRole("region", { name: "Dead letters" });
    await expect(letters.getByText("50 and more")).toBeVisible();
    await letters.getByRole("button", { name: "Show older" }).click();
    await expect(letters.getByText("60", { exact: true })).toBeVisible();
    await letters.getByRole("button", { name: "Discard all…" }).click();
    await page
      .getByRole("dialog", { name: "Discard 60 dead letters?" })
      .getByRole("button", { name: "Discard 60 dead letters" })
      .click();
    await seenFrom(page, "60 dead letters are discarded.");
    await expect(letters.getByText("No dead letters.")).toBeVisible();
    expect(await flock.deadLetters()).toEqual([]);
  });
});

test.describe("invoking an agent", () => {
  test("takes its input from a form or an existing artifact, and links to the run", async ({ page }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await flock.publish(Order({ dish: "calzone" }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/control`);
    await agentRow(page, "chef")
      .getByRole("link", { name: /^Invoke/ })
      .click();
    await page.waitForURL(/\/control\?invoke=chef/);
    await page.getByRole("button", { name: "Invoke chef" }).click();
    await expect(page.getByText("is required", { exact: true })).toBeVisible();
    await page.getByLabel("Order: start from an existing artifact").selectOption({ index: 1 });
    const dish = page.locator("form").getByLabel("dish");
    await expect(dish).toHaveValue("calzone");
    await dish.fill("funghi");
    await page.getByRole("button", { name: "Invoke chef" }).click();
    await expect(
      page.getByRole("status", { name: "Result" }).getByRole("link", { name: /^Visible from seq/ }),
    ).toBeVisible();
    await page.getByRole("status", { name: "Result" }).getByRole("link", { name: "Show run" }).click();
    await expect(page.getByRole("article", { name: "Run of chef" }).getByText("success").first()).toBeVisible();
    expect((await flock.store.getByType(Plate)).map(({ dish }) => dish).sort()).toEqual(["calzone", "funghi"]);
  });

  test("offers one form per input", async ({ page }) => {
    const { flock } = kitchen();
    await using server = await startServer({ flock, components: [], dashboard: true });
    await page.goto(`${server.url}/control?invoke=sommelier`);
    for (const [type, field, value] of [
      ["Plate", "dish", "ossobuco"],
      ["Wine", "grape", "nebbiolo"],
    ] as const) {
      const input = page.getByRole("region", { name: `Input ${type}` });
      await input.locator("form").getByLabel(field).fill(value);
      await input.getByRole("button", { name: `Use as ${type}` }).click();
      await expect(page.getByText(value)).toBeVisible();
    }
    await page.getByRole("button", { name: "Invoke sommelier", exact: true }).click();
    await page.getByRole("link", { name: "Show run" }).click();
    await expect(page.getByRole("article", { name: "Run of sommelier" }).getByText("success").first()).toBeVisible();
  });
});

const program = fileURLToPath(new URL("../e2e/programs/kitchen.ts", import.meta.url));

test.describe("a server that crashes during a command", () => {
  test("leaves the outcome open until the server is back and reports the state", async ({ page }) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    const start = async (port: string) => {
      const server = new RunningProgram(["node", program, file, port]);
      return { server, port: (await server.line(/^port \d+/)).slice(5) };
    };
    const { server: first, port } = await start("0");
    await using _first = first;
    await page.goto(`http://127.0.0.1:${port}/control`);
    await expect(page.getByRole("button", { name: "Pause chef" })).toBeVisible();
    // The process still exists but does not answer.
    first.signal("SIGSTOP");
    await page.getByRole("button", { name: "Pause chef" }).click();
    const pending = page.getByRole("button", { name: "Pausing…" });
    await expect(pending).toBeVisible();
    expect(await pending.getAttribute("aria-disabled")).toBe("true");
    expect(await agentRow(page, "chef").getByText("paused", { exact: true }).count()).toBe(0);
    first.signal("SIGKILL");
    const answers = page.getByRole("status", { name: "Action results" });
    await expect(
      answers.getByText("The connection broke before the server answered. The outcome is unknown."),
    ).toBeVisible();
    await expect(page.getByText("Not available while disconnected")).toBeVisible();
    const button = page.getByRole("button", { name: "Pause chef" });
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    await using _second = (await start(port)).server;
    await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
    await expect(button).toHaveAttribute("aria-disabled", "false");
    await button.click();
    await seenFrom(page, "chef is paused.");
    await expect(agentRow(page, "chef").getByText("paused", { exact: true })).toBeVisible();
  });
});

test.describe("a user without owner permissions", () => {
  test("sees why controls are disabled, and can retry their own dead letters", async ({ page }) => {
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
    await page.goto(`${server.url}/control`);
    await expect(page.getByText("Only the owner of this flock can pause agents")).toBeVisible();
    const pause = page.getByRole("button", { name: "Pause chef" });
    expect(await pause.getAttribute("aria-disabled")).toBe("true");
    await pause.press("Enter");
    await expect(page.getByRole("alert").getByText("Only the owner of this flock can pause agents")).toBeVisible();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("pause chef");
    await expect(page.getByRole("dialog").getByRole("option", { name: "Pause chef" })).toBeVisible();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(page.getByRole("alert").getByText("Only the owner of this flock can pause agents")).toBeVisible();
    expect(flock.agents().some(({ paused }) => paused)).toBe(false);
    // A dead letter that the user cannot see is not listed.
    const listed = page.getByRole("listitem", { name: "Dead letter of chef" });
    expect(await listed.count()).toBe(1);
    await listed.getByRole("button", { name: "Retry" }).click();
    await seenFrom(page, "Retry queued for chef: attempt 2.");
    await flock.runUntilIdle();
    expect(await flock.deadLetters()).toHaveLength(1);
  });
});

test.describe("accessibility", () => {
  for (const colorScheme of ["light", "dark"] as const)
    test(`axe reports nothing on a busy Control screen, wide and narrow (${colorScheme})`, async ({ page }) => {
      const { flock, oven } = kitchen();
      await using server = await startServer({ flock, components: [], dashboard: true });
      oven.isCold = true;
      await flock.publish(Order({ dish: "calzone" }));
      await flock.runUntilIdle();
      await flock.publish(Order({ dish: "goulash" }));
      await flock.pause("sommelier");
      await page.goto(`${server.url}/control`);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expect(page.getByRole("listitem", { name: "Dead letter of chef" })).toBeVisible();
      await page.getByRole("button", { name: "Pause chef" }).click();
      await seenFrom(page, "chef is paused.");
      const look = async (what: string) => {
        expect(await violationsOf(page), what).toEqual([]);
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
        await expect(page.getByRole("button", { name: "Invoke chef" })).toBeVisible();
        await look(`the form at ${width} px`);
        await page.goBack();
      }
    });
});

test.describe("orphaned work", () => {
  test("is listed with the reason, and dropped on request", async ({ page, errors }) => {
    await using folder = await temporaryFolder();
    const store = () => sqliteStore(join(folder.path, "flock.db"));
    const before = await Flock.open({ store: store() });
    before
      .agent("packer")
      .consumes(Order)
      .run(() => undefined);
    before
      .agent("pairer")
      .consumes(Plate, Wine)
      .run(() => undefined);
    await before.pause("packer");
    await before.publish([Order({ dish: "calzone" }), Plate({ dish: "funghi" })]);
    await before.shutdown();

    const flock = await Flock.open({ store: store() });
    flock
      .agent("waiter")
      .consumes(Plate)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await page.goto(`${server.url}/control`);
    const section = page.getByRole("region", { name: "Orphaned work" });
    await expect(section).toContainText("1 queued run, 1 waiting artifact");
    await expect(section).toContainText("1 in gate Plate + Wine: the agent is not declared");
    expect(await violationsOf(page)).toEqual([]);
    for (const agent of ["packer", "pairer"]) {
      await section.getByRole("listitem").filter({ hasText: agent }).getByRole("button", { name: "Drop…" }).click();
      await page.getByRole("button", { name: "Drop orphaned work" }).click();
      await seenFrom(page, `The orphaned work of ${agent} is dropped.`);
    }
    await expect(section).toBeHidden();
    expect(await flock.orphans()).toEqual({ runs: [], artifacts: [] });
    expect(errors).toEqual([]);
  });
});
