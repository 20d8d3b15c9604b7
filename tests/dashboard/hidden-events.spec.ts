import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { Page } from "@playwright/test";
import { Flock, type FlockOptions, type FlockServer, type Principal, visibility } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { temporaryFolder } from "../support/folder.ts";
import { keepHouse } from "../support/housekeeping.ts";
import { Idea, Pizza, pizzeria } from "../support/pizzeria.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

/** Authenticates requests: the cookie `who=guest` makes a guest, all others are the owner. */
function whoAsks({ headers }: { readonly headers: Record<string, string | string[] | undefined> }): Principal {
  return String(headers.cookie).includes("who=guest") ? { kind: "client", name: "guest" } : { kind: "owner" };
}

/** A pizzeria with a second chef that can read artifacts labelled `kitchen`. */
function withKitchen(options: FlockOptions | Flock = {}): Flock {
  const flock = pizzeria(options);
  flock
    .agent("sous_chef")
    .labels("kitchen")
    .consumes(Idea, { tags: ["kitchen"] })
    .publishes(Pizza)
    .run(async function* ({ Idea: idea }) {
      for (const word of ["I ", "know: ", idea.description]) yield word;
      return Pizza({ name: "Pizza of the house", toppings: [] });
    });
  return flock;
}

/** Publish options that hide an artifact from the guest. */
const IN_KITCHEN = { visibility: visibility.labelled("kitchen"), tags: ["kitchen"] };

function serve(flock: Flock, port = 0): Promise<FlockServer> {
  return flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port, principal: whoAsks });
}

/** Publishes a public order, two orders for the kitchen only, and another public order. */
async function evening(flock: Flock): Promise<void> {
  await flock.publish(Idea({ description: "truffle" }));
  for (const description of ["secret sauce", "secret dough"]) {
    await flock.publish(Idea({ description }), IN_KITCHEN);
    await flock.runUntilIdle();
  }
  await flock.publish(Idea({ description: "basil" }));
  await flock.runUntilIdle();
}

/** Makes a page's context the guest's. */
function becomeGuest(page: Page, url: string): Promise<void> {
  return page.context().addCookies([{ name: "who", value: "guest", url }]);
}

/** Returns the seqs that a user receives over HTTP. */
async function seqsOf(url: string, who: "guest" | "owner"): Promise<number[]> {
  const response = await fetch(`${url}/plugin/events?limit=1000`, { headers: { cookie: `who=${who}` } });
  return ((await response.json()) as { events: { seq: number }[] }).events.map(({ seq }) => seq);
}

/** Returns the seq up to which a database is compacted. */
function mergedUpTo(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return (db.prepare("SELECT compacted FROM log").get() as { compacted: number }).compacted;
  } finally {
    db.close();
  }
}

/** The event count next to the filter. */
const listed = (page: Page, count: number) => page.locator("search").getByText(new RegExp(`(^|\\D)${count} events$`));

/** The rows of the log that represent hidden events. */
const hiddenRows = (page: Page) => page.getByRole("log").getByText(/hidden by permissions/);

async function sumOf(page: Page): Promise<number> {
  const texts = await hiddenRows(page).allTextContents();
  return texts.reduce((sum, text) => sum + Number(/^[\d,]+/.exec(text)?.[0].replaceAll(",", "")), 0);
}

test.describe("events hidden by permissions are counted", () => {
  test("the guest sees how many are hidden and where, the owner sees no such notice", async ({
    page,
    errors,
    openPage,
  }) => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    await evening(flock);
    const { head } = flock.log;
    const seen = await seqsOf(url, "guest");
    expect((await seqsOf(url, "owner")).length).toBe(head);
    const count = head - seen.length;
    expect(count).toBeGreaterThan(5);

    await becomeGuest(page, url);
    await page.goto(`${url}/events`);
    const owner = await openPage(`${url}/events`);
    await expect(listed(page, seen.length)).toBeVisible();
    const words = (hidden: number, of: number) => `${hidden} of ${of} events are hidden from you`;
    await expect(page.getByRole("main").getByText(words(count, head))).toBeVisible();
    await expect(page.getByRole("banner").getByText(words(count, head))).toBeVisible();
    expect(await sumOf(page)).toBe(count);
    await expect(listed(owner.page, head)).toBeVisible();
    expect(await owner.page.getByText(/hidden (from you|by permissions)/).count()).toBe(0);

    // A new hidden event changes the guest's count at once.
    const { visibility: ofKitchen } = IN_KITCHEN;
    await flock.publish(Idea({ description: "secret oven" }), { visibility: ofKitchen });
    await flock.runUntilIdle();
    const later = flock.log.head;
    await expect(page.getByRole("main").getByText(words(count + later - head, later))).toBeVisible();

    // In the past, only events hidden up to that seq count.
    const at = seen[Math.floor(seen.length / 2)] as number;
    await page.goto(`${url}/events?seq=${at}`);
    const before = seen.filter((seq) => seq <= at).length;
    if (at > before) await expect(page.getByRole("main").getByText(words(at - before, at))).toBeVisible();
    await expect(listed(page, before)).toBeVisible();
    expect(await sumOf(page)).toBe(at - before);
    // The keyboard skips hidden events.
    await page.getByRole("log").focus();
    for (let step = 0; step < before; step++) await page.keyboard.press("ArrowUp");
    await expect(page.getByRole("region", { name: `Event ${seen[0]}`, exact: true })).toBeVisible();
    expect(errors).toEqual([]);
    expect(owner.errors).toEqual([]);
  });

  test("the count stays exact after a reconnect and after compaction", async ({ page }) => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    let flock = withKitchen(await Flock.open({ store: sqliteStore(path) }));
    let server = await serve(flock);
    for (let index = 0; index < 90; index++) {
      const options = index % 3 === 0 ? IN_KITCHEN : {};
      await flock.publish(Idea({ description: `number ${index}` }), options);
    }
    await flock.runUntilIdle();
    const { port } = server;
    await becomeGuest(page, server.url);
    await page.goto(`${server.url}/events`);
    const words = page.getByRole("main").getByText(/events are hidden from you/);
    await expect(words).toBeVisible();
    const live = await words.textContent();
    const { head } = flock.log;
    expect(live).toBe(`${head - (await seqsOf(server.url, "guest")).length} of ${head} events are hidden from you`);

    await flock.shutdown();
    await expect(page.getByRole("status").getByText(/Offline/)).toBeVisible();
    // Compaction merges the streamed output of runs in the file.
    keepHouse(path);
    expect(mergedUpTo(path)).toBeGreaterThanOrEqual(head - 200);
    flock = withKitchen(await Flock.open({ store: sqliteStore(path) }));
    try {
      await flock.publish(Idea({ description: "pineapple" }), { visibility: visibility.privateTo("editor") });
      server = await serve(flock, port);
      expect((await seqsOf(server.url, "owner")).length).toBeLessThan(head - 20);
      await expect(page.getByRole("status").getByText("Live", { exact: true })).toBeVisible();
      const hidden = Number(live?.split(" ")[0]);
      await expect(page.getByRole("main").getByText(`${hidden + 1} of ${flock.log.head} events`)).toBeVisible();
      await page.goto(`${server.url}/events?seq=${head}`);
      await expect(page.getByRole("main").getByText(live ?? "", { exact: true })).toBeVisible();
    } finally {
      await flock.shutdown();
    }
  });

  test("a file saved by the guest contains the count and nothing hidden", async ({ page, openPage }) => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    await evening(flock);
    const { head } = flock.log;
    const count = head - (await seqsOf(url, "guest")).length;
    await becomeGuest(page, url);
    await page.goto(`${url}/events`);
    await expect(page.getByRole("main").getByText(`${count} of ${head} events`)).toBeVisible();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save the events");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    const file = await readFile(await download.path(), "utf8");
    expect(JSON.parse(file.split("\n")[0] as string).hidden).toBe(count);
    expect(file).not.toContain("secret");
    // The owner sees the notice too when opening the file.
    const owner = await openPage(`${url}/events`);
    await expect(listed(owner.page, head)).toBeVisible();
    await owner.page.keyboard.press("Control+k");
    await owner.page.getByLabel("Event file").setInputFiles(await download.path());
    await expect(
      owner.page
        .getByRole("main")
        .getByText(`${count} of ${head} events were hidden from the user who saved this file`),
    ).toBeVisible();
    expect(await sumOf(owner.page)).toBe(count);
  });

  test("hidden sources of a visible artifact are called hidden, not missing", async ({ page, openPage }) => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    const secret = await flock.publish(Idea({ description: "secret sauce" }), IN_KITCHEN);
    await flock.runUntilIdle();
    await becomeGuest(page, url);
    await page.goto(`${url}/blackboard`);
    await page.getByRole("link", { name: "Pizza", exact: true }).click();
    await expect(page.getByText("Its inputs are hidden from you.")).toBeVisible();
    await page.getByRole("region", { name: "Lineage" }).getByText("sous_chef, hidden run").click();
    await expect(page.getByText(/No such run at this seq\. .* hidden from you/)).toBeVisible();
    await page.goto(`${url}/blackboard/${secret.artifactId}`);
    await expect(page.getByText(/No such artifact at this seq\. .* hidden from you/)).toBeVisible();
    const owner = await openPage(`${url}/blackboard/${secret.artifactId}`);
    await expect(owner.page.getByText('"secret sauce"')).toBeVisible();
  });

  for (const colorScheme of ["light", "dark"] as const)
    test(`axe reports nothing serious while saving a range, wide and narrow (${colorScheme})`, async ({ page }) => {
      await using flock = withKitchen();
      const { url } = await serve(flock);
      await evening(flock);
      await becomeGuest(page, url);
      await page.goto(`${url}/events`);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await expect(page.getByRole("main").getByText(/events are hidden from you/)).toBeVisible();
        await page.keyboard.press("x");
        const panel = page.getByRole("dialog", { name: "Save a range as a file" });
        await expect(panel.getByText(/are hidden from you, which the file records/)).toBeVisible();
        await page.keyboard.press("Tab");
        expect(await seriousViolationsOf(page), `at ${width} px`).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
        await page.keyboard.press("Escape");
        await expect(panel).toHaveCount(0);
      }
    });
});
