import { readFile } from "node:fs/promises";
import { connect } from "@flock-ts/client";
import type { FlockEvent } from "@flock-ts/protocol";
import { Flock } from "flock-ts";
import { StaticFilesServerComponent } from "flock-ts/components/server";
import { readRecording, record, serveRecording } from "flock-ts/testing";
import type { Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** A pizzeria where some pizzas were made and one refused, each in a workflow of its own. */
async function served() {
  const server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
  for (const description of ["truffle", "pineapple", "basil"]) {
    await server.flock.publish(Idea({ description }), { correlationId: `dinner with ${description}` });
    await server.flock.runUntilIdle();
  }
  return server;
}

/** What is downloaded when something is done. */
async function savedBy(
  page: Page,
  act: () => Promise<void>,
): Promise<{ text: string; events: FlockEvent[]; file: Download }> {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  const text = await readFile(await file.path(), "utf8");
  return { text, file, events: [...readRecording(text)] };
}

const panelOf = (page: Page) => page.getByRole("dialog", { name: "Save a range as a file" });

describe("a range of the log becomes a file", () => {
  it("by seqs that are typed, and by marks that are moved along the log", async () => {
    await using server = await served();
    const all = (await record(server.flock)).events;
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    await page.getByText(`${all.length} events`).waitFor();
    await page.keyboard.press("x");
    const panel = panelOf(page);
    await panel.getByText(`${all.length} events`).waitFor();
    await panel.getByLabel("From").fill("6");
    await panel.getByLabel("From").press("Enter");
    await panel.getByLabel("To", { exact: true }).fill("#15");
    await panel.getByLabel("To", { exact: true }).press("Enter");
    await panel.getByText("10 events").waitFor();
    await page.getByRole("slider", { name: "Range to seq" }).press("ArrowLeft");
    await panel.getByText("9 events").waitFor();
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
    await panel.waitFor({ state: "detached" });

    // By hand: the left mark is pulled to the right.
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
    // What is shown has not moved: the marks are not the slider.
    expect(page.url()).not.toMatch(/seq=/);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expect(opened.errors).toEqual([]);
  });

  it("one workflow of it, what the filter shows, or a stretch of time; what is no place is told", async () => {
    await using server = await served();
    const all = (await record(server.flock)).events;
    const refused = all.filter(
      (event) => "correlation_id" in event && event.correlation_id === "dinner with pineapple",
    );
    await using opened = await browser.open(`${server.url}/events/${refused[0]?.seq}?types=agent_execution_completed`);
    const { page } = opened;
    await page.getByText("3 events").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save a range");
    await page.keyboard.press("Enter");
    const panel = panelOf(page);
    const save = () => savedBy(page, () => panel.getByRole("button", { name: "Save as a file" }).click());
    await panel.getByLabel("This workflow only").check();
    await panel.getByText(`${refused.length} events`, { exact: true }).waitFor();
    const { events, text } = await save();
    expect(events).toEqual(refused);
    expect(JSON.parse(text.split("\n")[0] as string).narrowed).toBe("workflow dinner with pineapple");

    await page.keyboard.press("x");
    await panel.getByLabel("What the filter shows: agent_execution_completed").check();
    const ended = all.filter(({ type }) => type === "agent_execution_completed");
    await panel.getByText("3 events", { exact: true }).waitFor();
    expect((await save()).events).toEqual(ended);

    await page.keyboard.press("x");
    const from = panel.getByLabel("From");
    await from.fill("half past nine");
    await from.press("Enter");
    await panel.getByText("A seq, or a time such as 14:03").waitFor();
    const second = ended[1] as FlockEvent;
    await from.fill(second.timestamp);
    await from.press("Enter");
    const begins = all.findLast(({ timestamp }) => Date.parse(timestamp) <= Date.parse(second.timestamp));
    await expect.poll(() => from.inputValue()).toBe(String(begins?.seq));
  });

  it("of a hundred thousand events, older ones than the page had included, while the page goes on", async () => {
    const flock = new Flock();
    flock.register(Idea);
    await using server = await startServer({ flock, components: [], dashboard: true });
    const count = 100_000;
    for (let index = 0; index < count; index += 1_000) {
      await Promise.all(
        Array.from({ length: 1_000 }, (_, each) => flock.publish(Idea({ description: `idea ${index + each}` }))),
      );
    }
    const { head } = flock.log;
    await using opened = await browser.open(`${server.url}/events`);
    const { page } = opened;
    await page.getByText("10,000 events").waitFor();
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
    expect(opened.errors).toEqual([]);
  });
});

describe("such a file is opened without a Flock server", () => {
  it("by a page from any web server, chosen or dropped, on all screens and at any seq", async () => {
    const file = await (async () => {
      await using server = await served();
      return String(await record(server.flock));
    })();
    // What serves the page knows nothing but files.
    await using statics = await startServer({ components: [new StaticFilesServerComponent()] });
    await using opened = await browser.open(`${statics.url}/runs`);
    const { page } = opened;
    await page
      .getByRole("status")
      .getByText(/^Connecting/)
      .waitFor();
    const transfer = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(file)}], "evening.ndjson")); return data; })()`,
    );
    await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
    await page.getByRole("status").getByText("File: evening.ndjson").waitFor();
    await page.getByRole("list", { name: "Runs", exact: true }).getByText("error").waitFor();
    await page.keyboard.press("[");
    await page.waitForURL(/seq=\d+/);
    for (const [key, found] of [
      ["a", page.getByRole("row", { name: /pizza_master/ })],
      ["r", page.getByText("RangeError: not on my pizza", { exact: true })],
      ["b", page.getByRole("link", { name: "Pizza", exact: true }).first()],
      ["e", page.getByRole("log").getByText(/RangeError/)],
      ["o", page.getByText(/Thinking about/).first()],
    ] as const) {
      // On a machine that stands still for seconds, the two keys are too far apart to be one: who sees that presses again.
      await vi.waitFor(
        async () => {
          await page.keyboard.press("g");
          await page.keyboard.press(key);
          await found.waitFor({ timeout: 8_000 });
        },
        { timeout: 30_000 },
      );
    }
    // Dropped once more, something else is refused in a sentence, and what was there stays.
    const cat = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); data.items.add(new File(["a cat"], "cat.txt")); return data; })()`,
    );
    await page.dispatchEvent("body", "drop", { dataTransfer: cat });
    await page.getByRole("alert").getByText("cat.txt cannot be shown: line 1 is not JSON").waitFor();
    await page.getByRole("status").getByText("File: evening.ndjson").waitFor();
  });
});

describe("from a bug in production to a test", () => {
  it("the file that the dashboard has saved fails the test that shall find the bug, as it failed then", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/pineapple.ndjson`;
    {
      await using server = await served();
      await using opened = await browser.open(`${server.url}/runs`);
      const { page } = opened;
      await page.getByRole("list", { name: "Runs", exact: true }).getByRole("link", { name: /error/ }).click();
      await page.keyboard.press("x");
      await panelOf(page).getByLabel("This workflow only").check();
      const { file } = await savedBy(page, () => panelOf(page).getByRole("button", { name: "Save as a file" }).click());
      await file.saveAs(path);
    }
    // The test: what went in then goes in again, into the code of today.
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

    // The same file is a server for whatever shows it.
    await using replayed = await serveRecording(recording);
    const client = connect(replayed.url, { since: 0 });
    const heard: FlockEvent[] = [];
    client.on("event", (event) => void heard.push(event));
    await vi.waitFor(() => expect(heard).toEqual(recording.events), { timeout: 10_000 });
    client.close();
  });
});
