import { readFile } from "node:fs/promises";
import { connect } from "@flock-ts/client";
import type { FlockEvent } from "@flock-ts/protocol";
import type { Download, Page } from "@playwright/test";
import { Flock } from "flock-ts";
import { StaticFilesServerComponent } from "flock-ts/components/server";
import { readRecording, record, serveRecording } from "flock-ts/testing";
import { temporaryFolder } from "../support/folder.ts";
import { Idea, pizzeria, servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { expect, test } from "./fixtures.ts";

/** Serves a pizzeria that made two pizzas and failed once, each in its own workflow. */
async function served() {
  const server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
  for (const description of ["truffle", "pineapple", "basil"]) {
    await server.flock.publish(Idea({ description }), { correlationId: `dinner with ${description}` });
    await server.flock.runUntilIdle();
  }
  return server;
}

/** Returns the file that an action downloads. */
async function savedBy(
  page: Page,
  act: () => Promise<void>,
): Promise<{ text: string; events: FlockEvent[]; file: Download }> {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  const text = await readFile(await file.path(), "utf8");
  return { text, file, events: [...readRecording(text)] };
}

const panelOf = (page: Page) => page.getByRole("dialog", { name: "Save a range as a file" });

test.describe("saving a range of the log as a file", () => {
  test("the range is set by typed seqs and by dragging marks on the timeline", async ({ page, errors }) => {
    await using server = await served();
    const all = (await record(server.flock)).events;
    await page.goto(`${server.url}/events`);
    await expect(page.getByText(`${all.length} events`)).toBeVisible();
    await page.keyboard.press("x");
    const panel = panelOf(page);
    await expect(panel.getByText(`${all.length} events`)).toBeVisible();
    await panel.getByLabel("From").fill("6");
    await panel.getByLabel("From").press("Enter");
    await panel.getByLabel("To", { exact: true }).fill("#15");
    await panel.getByLabel("To", { exact: true }).press("Enter");
    await expect(panel.getByText("10 events")).toBeVisible();
    await page.getByRole("slider", { name: "Range to seq" }).press("ArrowLeft");
    await expect(panel.getByText("9 events")).toBeVisible();
    expect(await panel.getByLabel("To", { exact: true }).inputValue()).toBe("14");
    const { text, events, file } = await savedBy(page, () =>
      panel.getByRole("button", { name: "Save as a file" }).click(),
    );
    expect(file.suggestedFilename()).toBe("flock-6-14.ndjson");
    expect(events).toEqual(all.filter(({ seq }) => seq >= 6 && seq <= 14));
    expect(JSON.parse(text.split("\n")[0] as string)).toMatchObject({
      from_seq: 6,
      to_seq: 14,
      epoch: server.flock.log.epoch,
    });
    await expect(panel).toHaveCount(0);

    // Drag the left mark to the right.
    await page.keyboard.press("x");
    const mark = await page.getByRole("slider", { name: "Range from seq" }).boundingBox();
    if (!mark) throw new Error("there is no mark");
    await page.mouse.move(mark.x + 5, mark.y + mark.height / 2);
    await page.mouse.down();
    await page.mouse.move(mark.x + mark.width / 2, mark.y + mark.height / 2, { steps: 8 });
    await page.mouse.up();
    const from = Number(await panel.getByLabel("From").inputValue());
    expect(from).toBeGreaterThan(all.length / 4);
    expect(from).toBeLessThan((all.length * 3) / 4);
    // The marks do not move the displayed seq.
    expect(page.url()).not.toMatch(/seq=/);
    await page.keyboard.press("Escape");
    await expect(panel).toHaveCount(0);
    expect(errors).toEqual([]);
  });

  test("saves one workflow, the filtered events or a time range, and rejects an invalid seq or time", async ({
    page,
  }) => {
    await using server = await served();
    const all = (await record(server.flock)).events;
    const refused = all.filter(
      (event) => "correlation_id" in event && event.correlation_id === "dinner with pineapple",
    );
    await page.goto(`${server.url}/events/${refused[0]?.seq}?types=agent_execution_completed`);
    await expect(page.getByText("3 events")).toBeVisible();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save a range");
    await page.keyboard.press("Enter");
    const panel = panelOf(page);
    const save = () => savedBy(page, () => panel.getByRole("button", { name: "Save as a file" }).click());
    await panel.getByLabel("This workflow only").check();
    await expect(panel.getByText(`${refused.length} events`, { exact: true })).toBeVisible();
    const { events, text } = await save();
    expect(events).toEqual(refused);
    expect(JSON.parse(text.split("\n")[0] as string).narrowed).toBe("workflow dinner with pineapple");

    await page.keyboard.press("x");
    await panel.getByLabel("Current filter: agent_execution_completed").check();
    const ended = all.filter(({ type }) => type === "agent_execution_completed");
    await expect(panel.getByText("3 events", { exact: true })).toBeVisible();
    expect((await save()).events).toEqual(ended);

    await page.keyboard.press("x");
    const from = panel.getByLabel("From");
    await from.fill("half past nine");
    await from.press("Enter");
    await expect(panel.getByText("A seq, or a time such as 14:03")).toBeVisible();
    const second = ended[1] as FlockEvent;
    await from.fill(second.timestamp);
    await from.press("Enter");
    const begins = all.findLast(({ timestamp }) => Date.parse(timestamp) <= Date.parse(second.timestamp));
    await expect(from).toHaveValue(String(begins?.seq));
  });

  test("saves 100,000 events, including those that the page has not loaded", async ({ page, errors }) => {
    const flock = new Flock();
    flock.register(Idea);
    await using server = await startServer({ flock, components: [], dashboard: true });
    const count = 100_000;
    for (let index = 0; index < count; index += 1_000) {
      await flock.publish(Array.from({ length: 1_000 }, (_, each) => Idea({ description: `idea ${index + each}` })));
    }
    const { head } = flock.log;
    await page.goto(`${server.url}/events`);
    await expect(page.getByText("10,000 events")).toBeVisible();
    await page.keyboard.press("x");
    const panel = panelOf(page);
    await panel.getByLabel("From").fill("1");
    await panel.getByLabel("From").press("Enter");
    const [download] = await Promise.all([
      page.waitForEvent("download", { timeout: 60_000 }),
      panel.getByRole("button", { name: "Save as a file" }).click(),
    ]);
    const text = await readFile(await download.path(), "utf8");
    expect(text.split("\n").length).toBe(head + 2);
    expect(JSON.parse(text.split("\n").at(-2) as string).seq).toBe(head);
    expect(errors).toEqual([]);
  });
});

test.describe("opening a file without a Flock server", () => {
  test("a statically served page shows a dropped file on all screens and at any seq, and rejects other files", async ({
    page,
  }) => {
    const file = await (async () => {
      await using server = await served();
      return String(await record(server.flock));
    })();
    // This server has only static files.
    await using statics = await startServer({ components: [new StaticFilesServerComponent()] });
    await page.goto(`${statics.url}/runs`);
    await expect(page.getByRole("status").getByText(/^Connecting/)).toBeVisible();
    const transfer = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(file)}], "evening.ndjson")); return data; })()`,
    );
    await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
    await expect(page.getByRole("status").getByText("File: evening.ndjson")).toBeVisible();
    await expect(page.getByRole("list", { name: "Runs", exact: true }).getByText("error")).toBeVisible();
    await page.keyboard.press("[");
    await page.waitForURL(/seq=\d+/);
    for (const [key, found] of [
      ["a", page.getByRole("row", { name: /pizza_master/ })],
      ["r", page.getByText("RangeError: not on my pizza", { exact: true })],
      ["b", page.getByRole("link", { name: "Pizza", exact: true }).first()],
      ["e", page.getByRole("log").getByText(/RangeError/)],
      ["o", page.getByText(/Thinking about/).first()],
    ] as const) {
      // A stalled machine can separate the two keys of the shortcut too far. Press them again then.
      await expect(async () => {
        await page.keyboard.press("g");
        await page.keyboard.press(key);
        await expect(found).toBeVisible({ timeout: 8_000 });
      }).toPass({ timeout: 30_000 });
    }
    // An invalid file is rejected with a message, and the open file stays.
    const cat = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); data.items.add(new File(["a cat"], "cat.txt")); return data; })()`,
    );
    await page.dispatchEvent("body", "drop", { dataTransfer: cat });
    await expect(page.getByRole("alert").getByText("cat.txt cannot be shown: line 1 is not JSON")).toBeVisible();
    await expect(page.getByRole("status").getByText("File: evening.ndjson")).toBeVisible();
  });
});

test.describe("a saved file as a test fixture", () => {
  test("a file saved in the dashboard reproduces the failure in a test and replays to clients", async ({ page }) => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/pineapple.ndjson`;
    {
      await using server = await served();
      await page.goto(`${server.url}/runs`);
      await page.getByRole("list", { name: "Runs", exact: true }).getByRole("link", { name: /error/ }).click();
      await page.keyboard.press("x");
      await panelOf(page).getByLabel("This workflow only").check();
      const { file } = await savedBy(page, () => panelOf(page).getByRole("button", { name: "Save as a file" }).click());
      await file.saveAs(path);
    }
    // Publish the recorded inputs again.
    const recording = readRecording(await readFile(path, "utf8"));
    await using flock = pizzeria();
    for (const event of recording) {
      if (event.type !== "artifact_published" || event.produced_by !== "external") continue;
      await flock.publish(Idea(event.payload as { description: string }));
    }
    await flock.runUntilIdle();
    const failures = (events: Iterable<FlockEvent>) =>
      [...events].flatMap((event) =>
        event.type === "agent_execution_completed" && event.error ? [event.error.message] : [],
      );
    expect(failures(await record(flock))).toEqual(failures(recording));
    expect(failures(recording)).toEqual(["not on my pizza"]);

    // The file also replays as a server.
    await using replayed = await serveRecording(recording);
    const client = connect(replayed.url, { since: 0 });
    const heard: FlockEvent[] = [];
    client.on("event", (event) => void heard.push(event));
    await expect.poll(() => heard).toEqual(recording.events);
    client.close();
  });
});

test.describe("event files", () => {
  test("a saved file shows the same events without a server", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save the events");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    await page.keyboard.press("Control+k");
    await page.getByLabel("Event file").setInputFiles(await download.path());
    await expect(page.getByRole("status").getByText("File: ")).toBeVisible();
    // The other screens load when the page is idle. They need the server for that.
    const loaded = "performance.getEntriesByType('resource').some(({ name }) => name.includes('health-screen'))";
    await expect.poll(() => page.evaluate(loaded)).toBe(true);
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await server.server.close();
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await page
      .getByRole("link", { name: /success/ })
      .first()
      .click();
    await expect(page.getByText("Thinking about truffle")).toBeVisible();
  });

  test("another kind of file is rejected with a message", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(server.url);
    await expect(page.getByRole("row", { name: /pizza_master/ })).toBeVisible();
    await page.keyboard.press("Control+k");
    await page
      .getByLabel("Event file")
      .setInputFiles({ name: "cat.txt", mimeType: "text/plain", buffer: Buffer.from("a cat") });
    await expect(page.getByRole("alert").getByText("line 1 is not JSON")).toBeVisible();
  });
});
