import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { AxeBuilder } from "@axe-core/playwright";
import type { Flock, FlockOptions, FlockServer, Principal } from "flock-ts";
import { visibility } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Idea, Pizza, pizzeria } from "../support/pizzeria.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** Who has this cookie is a guest, who sees what is public; everybody else is the owner. */
function whoAsks({ headers }: { readonly headers: Record<string, string | string[] | undefined> }): Principal {
  return String(headers.cookie).includes("who=guest") ? { kind: "client", name: "guest" } : { kind: "owner" };
}

/** A pizzeria with a second chef, who may read what is for the kitchen alone. */
function withKitchen(options: FlockOptions = {}): Flock {
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

/** What only the kitchen may see. */
const IN_KITCHEN = { visibility: visibility.labelled("kitchen"), tags: ["kitchen"] };

function serve(flock: Flock, port = 0): Promise<FlockServer> {
  return flock.serve({ components: [new WebSocketServerComponent()], dashboard: true, port, principal: whoAsks });
}

/** One public order, some for the kitchen alone, another public one. */
async function evening(flock: Flock): Promise<void> {
  await flock.publish(Idea({ description: "truffle" }));
  for (const description of ["secret sauce", "secret dough"]) {
    await flock.publish(Idea({ description }), IN_KITCHEN);
    await flock.runUntilIdle();
  }
  await flock.publish(Idea({ description: "basil" }));
  await flock.runUntilIdle();
}

async function open(url: string, path: string, who: "guest" | "owner") {
  const opened = await browser.open("about:blank");
  if (who === "guest") await opened.page.context().addCookies([{ name: "who", value: "guest", url }]);
  await opened.page.goto(url + path);
  return opened;
}

/** The seqs that a viewer is given over HTTP. */
async function seqsOf(url: string, who: "guest" | "owner"): Promise<number[]> {
  const response = await fetch(`${url}/plugin/events?limit=1000`, { headers: { cookie: `who=${who}` } });
  return ((await response.json()) as { events: { seq: number }[] }).events.map(({ seq }) => seq);
}

/** Up to which seq a file has been compacted. */
function mergedUpTo(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return (db.prepare("SELECT compacted FROM log").get() as { compacted: number }).compacted;
  } finally {
    db.close();
  }
}

/** The count beside the filter. */
const listed = (page: Page, count: number) => page.locator("search").getByText(new RegExp(`(^|\\D)${count} events$`));

/** The rows of the list that stand for what is hidden. */
const hiddenRows = (page: Page) => page.getByRole("log").getByText(/hidden by permissions/);

async function sumOf(page: Page): Promise<number> {
  const texts = await hiddenRows(page).allTextContents();
  return texts.reduce((sum, text) => sum + Number(/^[\d,]+/.exec(text)?.[0].replaceAll(",", "")), 0);
}

describe("what permissions hide is counted as hidden, not silently absent", () => {
  it("side by side: the guest sees how many and where, the owner sees nothing of it", async () => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    await evening(flock);
    const { head } = flock.log;
    const seen = await seqsOf(url, "guest");
    expect((await seqsOf(url, "owner")).length).toBe(head);
    const count = head - seen.length;
    expect(count).toBeGreaterThan(5);

    await using guest = await open(url, "/events", "guest");
    await using owner = await open(url, "/events", "owner");
    const { page } = guest;
    await listed(page, seen.length).waitFor();
    const words = (hidden: number, of: number) => `${hidden} of ${of} events are hidden from you`;
    await page.getByRole("main").getByText(words(count, head)).waitFor();
    await page.getByRole("banner").getByText(words(count, head)).waitFor();
    expect(await sumOf(page)).toBe(count);
    await listed(owner.page, head).waitFor();
    expect(await owner.page.getByText(/hidden (from you|by permissions)/).count()).toBe(0);

    // Live: nothing that the guest may see comes, and still it is told.
    const { visibility: ofKitchen } = IN_KITCHEN;
    await flock.publish(Idea({ description: "secret oven" }), { visibility: ofKitchen });
    await flock.runUntilIdle();
    const later = flock.log.head;
    await page
      .getByRole("main")
      .getByText(words(count + later - head, later))
      .waitFor();

    // At an earlier seq only what is hidden before it counts.
    const at = seen[Math.floor(seen.length / 2)] as number;
    await page.goto(`${url}/events?seq=${at}`);
    const before = seen.filter((seq) => seq <= at).length;
    if (at > before)
      await page
        .getByRole("main")
        .getByText(words(at - before, at))
        .waitFor();
    await listed(page, before).waitFor();
    expect(await sumOf(page)).toBe(at - before);
    // By keyboard from event to event: what is not there cannot be opened.
    await page.getByRole("log").focus();
    for (let step = 0; step < before; step++) await page.keyboard.press("ArrowUp");
    await page.getByRole("region", { name: `Event ${seen[0]}`, exact: true }).waitFor();
    expect(guest.errors).toEqual([]);
    expect(owner.errors).toEqual([]);
  });

  it("exactly, over a break of the connection, and when the file has merged what streamed", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/flock.db`;
    let flock = withKitchen({ store: sqliteStore(path) });
    let server = await serve(flock);
    for (let index = 0; index < 90; index++) {
      const options = index % 3 === 0 ? IN_KITCHEN : {};
      await flock.publish(Idea({ description: `number ${index}` }), options);
    }
    await flock.runUntilIdle();
    const { port } = server;
    await using guest = await open(server.url, "/events", "guest");
    const { page } = guest;
    const words = page.getByRole("main").getByText(/events are hidden from you/);
    await words.waitFor();
    const live = await words.textContent();
    const { head } = flock.log;
    expect(live).toBe(`${head - (await seqsOf(server.url, "guest")).length} of ${head} events are hidden from you`);

    await flock.shutdown();
    await page
      .getByRole("status")
      .getByText(/Offline/)
      .waitFor();
    flock = withKitchen({ store: sqliteStore(path) });
    try {
      // Another process has none of it in memory, and merges in the file what runs have streamed.
      await flock.publish(Idea({ description: "pineapple" }), { visibility: visibility.privateTo("nobody") });
      await expect.poll(() => mergedUpTo(path), { timeout: 20_000 }).toBeGreaterThanOrEqual(head - 200);
      server = await serve(flock, port);
      expect((await seqsOf(server.url, "owner")).length).toBeLessThan(head - 20);
      await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
      const hidden = Number(live?.split(" ")[0]);
      await page
        .getByRole("main")
        .getByText(`${hidden + 1} of ${flock.log.head} events`)
        .waitFor();
      await page.goto(`${server.url}/events?seq=${head}`);
      await page
        .getByRole("main")
        .getByText(live ?? "", { exact: true })
        .waitFor();
    } finally {
      await flock.shutdown();
    }
  });

  it("in a file that such a viewer has saved", async () => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    await evening(flock);
    const { head } = flock.log;
    const count = head - (await seqsOf(url, "guest")).length;
    await using guest = await open(url, "/events", "guest");
    const { page } = guest;
    await page.getByRole("main").getByText(`${count} of ${head} events`).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").getByRole("combobox").fill("save the events");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    const file = await readFile(await download.path(), "utf8");
    expect(JSON.parse(file.split("\n")[0] as string).hidden).toBe(count);
    expect(file).not.toContain("secret");
    // Whoever opens it is told, the owner too.
    await using owner = await open(url, "/events", "owner");
    await listed(owner.page, head).waitFor();
    await owner.page.keyboard.press("Control+k");
    await owner.page.getByLabel("A file of events").setInputFiles(await download.path());
    await owner.page
      .getByRole("main")
      .getByText(`${count} of ${head} events were hidden from whoever saved this`)
      .waitFor();
    expect(await sumOf(owner.page)).toBe(count);
  });

  it("what a visible thing comes from is called hidden, not missing", async () => {
    await using flock = withKitchen();
    const { url } = await serve(flock);
    const secret = await flock.publish(Idea({ description: "secret sauce" }), IN_KITCHEN);
    await flock.runUntilIdle();
    await using guest = await open(url, "/blackboard", "guest");
    const { page } = guest;
    await page.getByRole("link", { name: "Pizza", exact: true }).click();
    await page.getByText("What it was made of is hidden from you.").waitFor();
    await page.getByRole("region", { name: "Lineage" }).getByText("sous_chef, hidden run").click();
    await page.getByText(/This run is not known at this seq\. .* not for you to see/).waitFor();
    await page.goto(`${url}/blackboard/${secret.artifactId}`);
    await page.getByText(/This artifact is not known at this seq\. .* not for you to see/).waitFor();
    await using owner = await open(url, `/blackboard/${secret.artifactId}`, "owner");
    await owner.page.getByText('"secret sauce"').waitFor();
  });

  it.for(["light", "dark"] as const)(
    "accessible, with a range being saved, %s, wide and narrow",
    async (colorScheme) => {
      await using flock = withKitchen();
      const { url } = await serve(flock);
      await evening(flock);
      await using guest = await open(url, "/events", "guest");
      const { page } = guest;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await page
          .getByRole("main")
          .getByText(/events are hidden from you/)
          .waitFor();
        await page.keyboard.press("x");
        const panel = page.getByRole("dialog", { name: "Save a range as a file" });
        await panel.getByText(/are hidden from you, and the file says so/).waitFor();
        await page.keyboard.press("Tab");
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        expect(serious.map(({ id, nodes }) => `${width}: ${id} ${nodes[0]?.html}`)).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
        await page.keyboard.press("Escape");
        await panel.waitFor({ state: "detached" });
      }
    },
  );
});
