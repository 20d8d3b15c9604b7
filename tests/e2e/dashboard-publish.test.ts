import { execFile } from "node:child_process";
import { stripTypeScriptTypes } from "node:module";
import { promisify } from "node:util";
import { AxeBuilder } from "@axe-core/playwright";
import { artifact, Flock } from "flock-ts";
import { ServerComponent, type ServerContext } from "flock-ts/components/server";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { typeCheck } from "../docs/type-check.ts";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { Pizza } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** A thing that is made of such things. */
const Part: z.ZodType = z
  .object({
    name: z.string(),
    get parts() {
      return z.array(Part).optional();
    },
  })
  .meta({ id: "Part" });
const Order = artifact(
  "Order",
  z.object({
    customer: z.string().min(2).describe("Who is hungry"),
    mail: z.email().nullable(),
    size: z.enum(["small", "large"]).default("small"),
    guests: z
      .int()
      .refine((guests) => guests !== 13, "that brings bad luck")
      .optional(),
    toppings: z.array(z.object({ name: z.string(), grams: z.number().optional() })),
    payment: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("card"), number: z.string() }),
      z.object({ kind: z.literal("cash"), given: z.number() }),
    ]),
    address: z.object({ street: z.string(), floor: z.int().optional() }).optional(),
    extras: z.record(z.string(), z.number()).optional(),
    kit: Part.optional(),
  }),
);
const Payment = artifact("Payment", z.object({ order: z.string() }));

const ORDER = {
  customer: "Al",
  mail: null,
  toppings: [{ name: "basil" }],
  payment: { kind: "card" as const, number: "42" },
};

/** A restaurant: one agent that cooks, one that waits for the money too, and one for those in a hurry. */
async function restaurant(components: readonly ServerComponent[] = []) {
  const flock = new Flock();
  flock
    .agent("cook")
    .consumes(Order)
    .run(() => undefined);
  flock
    .agent("cashier")
    .consumes(Order, Payment)
    .run(() => undefined);
  flock
    .agent("express")
    .consumes(Order, { tags: ["fast"] })
    .run(() => undefined);
  return startServer({ flock, components, dashboard: true });
}

/** Lets pages load and run what comes from the server itself, and nothing else. */
class StrictPolicy extends ServerComponent {
  override readonly name = "strict-policy";

  override registerRoutes({ app }: ServerContext): void {
    app.addHook("onSend", async (_request, reply) => {
      reply.header("content-security-policy", "default-src 'self'");
    });
  }
}

async function published(server: Awaited<ReturnType<typeof restaurant>>): Promise<unknown[]> {
  const { artifacts } = (await (await server.get("/api/v1/plugin/artifacts?type_names=Order")).json()) as {
    artifacts: { payload: unknown }[];
  };
  return artifacts.map(({ payload }) => payload);
}

const json = (page: Page) => page.getByLabel("Payload as JSON");
const form = (page: Page) => page.locator("form");
const publish = (page: Page) => page.getByRole("button", { name: "Publish Order" });

/** Presses a button that copies, and gives what it has copied. */
async function copier(page: Page): Promise<(name: string) => Promise<string>> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  return async (name) => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    const text: string = await page.evaluate("navigator.clipboard.readText()");
    await page.getByText("Copied", { exact: true }).waitFor({ state: "detached" });
    return text;
  };
}

describe("any artifact can be published by a form that follows its schema", () => {
  it("lists, alternatives, records, types that contain themselves, and fields that may be empty", async () => {
    await using server = await restaurant();
    await using opened = await browser.open(`${server.url}/publish/Order`);
    const { page } = opened;
    await form(page).getByLabel("customer").fill("Bo");
    await page.getByLabel("size").selectOption("large");
    await page.getByRole("group", { name: "toppings" }).getByRole("button", { name: "Add" }).click();
    await page.getByRole("group", { name: "toppings 1" }).getByLabel("name").fill("basil");
    await form(page).getByLabel("payment").selectOption("cash");
    await page.getByLabel("given").fill("20");
    await page.getByRole("group", { name: "extras" }).getByRole("button", { name: "Add" }).click();
    await page.getByLabel("newKey").fill("3");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("olives");
    await page.getByRole("textbox", { name: "Name", exact: true }).blur();
    await page.getByLabel("olives", { exact: true }).waitFor();
    const kit = page.getByRole("group", { name: "kit" });
    await kit.getByLabel("name").first().fill("box");
    await kit.getByRole("button", { name: "Add" }).click();
    await kit.getByLabel("name").nth(1).fill("lid");
    await publish(page).click();
    await page.getByText("Published.").waitFor();
    expect(await published(server)).toEqual([
      {
        customer: "Bo",
        mail: null,
        size: "large",
        toppings: [{ name: "basil" }],
        payment: { kind: "cash", given: 20 },
        extras: { olives: 3 },
        kit: { name: "box", parts: [{ name: "lid" }] },
      },
    ]);
    expect(opened.errors).toEqual([]);
  });

  it("what only the server knows to be wrong is said at the field, and at its line of the JSON", async () => {
    await using server = await restaurant();
    await using opened = await browser.open(`${server.url}/publish/Order`);
    const { page } = opened;
    await json(page).fill(JSON.stringify({ ...ORDER, guests: 13 }, null, 2));
    await publish(page).click();
    await page.locator(".form-group", { hasText: "guests" }).getByText("that brings bad luck").first().waitFor();
    const problems = page.getByRole("list", { name: "Problems in the JSON" });
    await problems.getByText("guests that brings bad luck").waitFor();
    await problems.getByRole("button", { name: "Line 13" }).click();
    expect(await page.evaluate("getSelection().toString()")).toBe("13");
    await page.getByLabel("guests").fill("12");
    await publish(page).click();
    await page.getByText("Published.").waitFor();
  });
});

describe("the form and the JSON beside it are one", () => {
  it("what is written in one is in the other; text that is no JSON yet stays, and is not sent", async () => {
    await using server = await restaurant();
    await using opened = await browser.open(`${server.url}/publish/Order`);
    const { page } = opened;
    await form(page).getByLabel("customer").fill("Bo");
    await expect.poll(() => json(page).inputValue()).toContain('"customer": "Bo"');
    await json(page).fill('{\n  "customer": "Cleo"\n  "mail": null\n}');
    await page.getByText(": a comma is missing").waitFor();
    await page.getByRole("button", { name: "Line 3, column 3" }).waitFor();
    await publish(page).click();
    await page.getByText("The JSON cannot be read yet.").waitFor();
    expect(await json(page).inputValue()).toContain("Cleo");
    expect(await published(server)).toEqual([]);
    await json(page).fill(JSON.stringify(ORDER));
    expect(await form(page).getByLabel("customer").inputValue()).toBe("Al");
    await publish(page).click();
    await page.getByText("Published.").waitFor();
    expect(await published(server)).toHaveLength(1);
  });

  it("what was published lately, here or by anybody, is the beginning of the next", async () => {
    await using server = await restaurant();
    const { artifactId } = await server.flock.publish(Order({ ...ORDER, customer: "Dee" }));
    await using opened = await browser.open(`${server.url}/publish/Order?from=${artifactId}`);
    const { page } = opened;
    await form(page).getByLabel("customer").fill("Eve");
    await publish(page).click();
    await page.getByText("Published.").waitFor();
    expect(await published(server)).toMatchObject([
      { ...ORDER, customer: "Eve" },
      { ...ORDER, customer: "Dee" },
    ]);
    await page.goto(`${server.url}/publish/Order`);
    await page.getByLabel("Begin with a recent one").selectOption({ index: 1 });
    await expect.poll(() => form(page).getByLabel("customer").inputValue()).toBe("Eve");
  });
});

describe("what is very long does not hold up the page", () => {
  it("it is changed as text, and what is longer still in a file", async () => {
    await using server = await restaurant();
    const many = (n: number) =>
      Order({ ...ORDER, toppings: Array.from({ length: n }, () => ({ name: "x".repeat(90) })) });
    const long = await server.flock.publish(many(1_000));
    const longer = await server.flock.publish(many(30_000));
    await using opened = await browser.open(`${server.url}/publish/Order?from=${long.artifactId}`);
    const { page } = opened;
    await page.getByText("This is too long for a form").waitFor();
    await json(page).fill(JSON.stringify({ ...ORDER, customer: "Gus" }));
    await publish(page).click();
    await page.getByText("Published.").waitFor();
    expect((await published(server))[0]).toMatchObject({ customer: "Gus" });
    await page.goto(`${server.url}/publish/Order?from=${longer.artifactId}`);
    await page.getByText("too much to change in a browser").waitFor();
    expect(opened.errors).toEqual([]);
  });
});

describe("before publishing one sees which agents it would wake", () => {
  it("those that would run, those that would wait and for what, and those that would not take it; nothing happens", async () => {
    await using server = await restaurant();
    await using opened = await browser.open(`${server.url}/publish/Order`);
    const { page } = opened;
    const wakes = page.getByRole("region", { name: "Which agents it would wake" });
    await wakes.getByText("That can be said when the fields are filled in.").waitFor();
    await json(page).fill(JSON.stringify(ORDER));
    await wakes.getByText("cook would run").waitFor();
    await wakes.getByText("cashier would wait for Payment").waitFor();
    await wakes.getByText("express does not take it: it asks for other tags").waitFor();
    await page.getByLabel("Tags, with commas between them").fill("fast");
    await wakes.getByText("express would run").waitFor();
    await server.flock.publish(Payment({ order: "1" }));
    await form(page).getByLabel("customer").fill("Flo");
    await wakes.getByText("cashier would run").waitFor();
    await server.flock.runUntilIdle();
    expect(server.flock.stats().runs).toMatchObject({ started: 0, queued: 0 });
    expect(await published(server)).toEqual([]);
  });
});

describe("two artifacts of a type can be compared", () => {
  it("what changed is marked with a sign and a word, what is equal is folded, and one goes from change to change", async () => {
    await using server = await restaurant();
    const before = { ...ORDER, toppings: ["a", "b", "c", "d", "oil"].map((name) => ({ name })) };
    const after = { ...before, customer: "Bo", toppings: [{ name: "ham" }, ...before.toppings.slice(0, 4)] };
    await server.flock.publish(Order(before));
    const { artifactId } = await server.flock.publish(Order(after));
    await using opened = await browser.open(`${server.url}/artifacts/${artifactId}`);
    const { page } = opened;
    await page.getByLabel("Compare with").selectOption({ index: 1 });
    const comparison = page.getByRole("region", { name: "Comparison" });
    await comparison.getByText("3 changes").waitFor();
    const row = (text: RegExp) => comparison.getByRole("treeitem").filter({ hasText: text });
    await row(/changed: customer:"Al".*changed: customer:"Bo"/).waitFor();
    await row(/added: name:"ham"/).waitFor();
    await row(/removed: name:"oil"/).waitFor();
    await comparison.getByRole("button", { name: "4 unchanged" }).click();
    await row(/unchanged: 1:/).waitFor();
    await comparison.getByRole("button", { name: "Next change" }).click();
    await comparison.getByText("3 changes, at 1").waitFor();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${width}: ${id} ${nodes[0]?.html}`)).toEqual([]);
    }
    await page.getByRole("link", { name: "Publish again with changes" }).click();
    await expect.poll(() => form(page).getByLabel("customer").inputValue()).toBe("Bo");
    expect(opened.errors).toEqual([]);
  });
});

describe("a payload can be read, searched and copied, whatever its size", () => {
  const Big = artifact("Big", z.object({ items: z.array(z.unknown()) }));

  async function withBig(count: number) {
    const flock = new Flock();
    flock.register(Big);
    const server = await startServer({ flock, components: [], dashboard: true });
    const items = Array.from({ length: count }, (_, n) => ({
      id: n,
      name: `item ${n}`,
      text: "lorem ipsum ".repeat(12),
    }));
    const { artifactId } = await flock.publish(Big({ items }));
    return { server, url: `${server.url}/artifacts/${artifactId}` };
  }

  it("by keyboard alone: open, close, go, find and come back", async () => {
    const { server, url } = await withBig(3);
    await using _ = server;
    await using opened = await browser.open(url);
    const { page } = opened;
    const tree = page.getByRole("tree", { name: "Payload" });
    await tree.focus();
    const path = page.getByLabel("Path", { exact: true });
    await page.keyboard.press("ArrowDown");
    expect(await path.textContent()).toBe("$.items[0]");
    await page.keyboard.press("ArrowLeft");
    await tree.getByRole("treeitem", { expanded: false }).first().waitFor();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await path.textContent()).toBe("$.items[0].id");
    await page.keyboard.press("/");
    await page.keyboard.type("ITEM 2");
    await page.getByText("1 of 1", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    expect(await path.textContent()).toBe("$.items[2].name");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("dialog").getByLabel("Text", { exact: true }).inputValue()).toBe(
      "lorem ipsum ".repeat(12),
    );
    await page.keyboard.press("Escape");
    expect(opened.errors).toEqual([]);
  });

  it("as JSON, as a command and as TypeScript, and the path and the value of a row", async () => {
    const { server, url } = await withBig(1);
    await using _ = server;
    await using opened = await browser.open(url);
    const { page } = opened;
    const copied = await copier(page);
    expect(JSON.parse(await copied("Copy as JSON")).items).toHaveLength(1);
    expect(await copied("Copy as curl")).toContain(`curl -X POST '${server.url}/api/plugin/publish'`);
    expect(await copied("Copy as TypeScript")).toMatch(/^await flock\.publish\(Big\(\{\n {2}items: \[/);
    await page.getByRole("treeitem").filter({ hasText: "name:" }).last().click();
    expect(await copied("Copy the path")).toBe("$.items[0].name");
    expect(await copied("Copy the value")).toBe("item 0");
  });

  it("the copied command publishes the same again, and so does the copied TypeScript, which type-checks", async () => {
    const flock = new Flock();
    flock.register(Pizza);
    await using server = await startServer({ flock, components: [], dashboard: true });
    const payload = { name: `Zoë's "special" $(x) \\ \n٣`, toppings: ["it's hot", "`basil`"] };
    const { artifactId } = await flock.publish(Pizza(payload), { tags: ["fast"] });
    await using opened = await browser.open(`${server.url}/artifacts/${artifactId}`);
    const { page } = opened;
    const copied = await copier(page);
    const command = await copied("Copy as curl");
    const code = await copied("Copy as TypeScript");
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    expect(JSON.parse(stdout)).toMatchObject({ artifact_id: expect.any(String) });
    // The second would be wrong: a check that complains of nothing is none.
    const blocks = [code, code.replace("toppings:", "topping:")].map((code, index) => {
      return { document: `docs/copied-${index}.md`, line: 1, language: "ts", flags: [], code };
    });
    expect(typeCheck(blocks)).toEqual([expect.stringMatching(/^docs\/copied-1\.md:\d+ .*'topping'/)]);
    await new Function("flock", "Pizza", `return (async () => { ${stripTypeScriptTypes(code)} })();`)(flock, Pizza);
    const { artifacts } = (await (await server.get("/api/v1/plugin/artifacts")).json()) as { artifacts: unknown[] };
    expect(artifacts).toHaveLength(3);
    for (const one of artifacts) expect(one).toMatchObject({ payload, tags: ["fast"] });
  });

  it("twenty megabytes do not hold up the page: only what is seen is laid out, and the rest elsewhere", async () => {
    const { server, url } = await withBig(100_000);
    await using _ = server;
    await using opened = await browser.open(url);
    const { page } = opened;
    await page.getByRole("treeitem").first().waitFor();
    await page.getByLabel("Find in payload").fill("item 99998");
    await page.getByText("1 of 1", { exact: true }).waitFor();
    await expect.poll(() => page.getByLabel("Path", { exact: true }).textContent()).toBe("$.items[99998].name");
    expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
    expect(page.workers().length).toBeGreaterThan(0);
    expect(opened.errors).toEqual([]);
  });
});

describe("everyone can use it, and nothing is compiled in the page", () => {
  it.for(["light", "dark"] as const)(
    "no serious accessibility problem, %s, wide and narrow, right and wrong",
    async (scheme) => {
      await using server = await restaurant();
      const { artifactId } = await server.flock.publish(Order(ORDER));
      await using opened = await browser.open(`${server.url}/publish/Order`);
      const { page } = opened;
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        for (const path of ["publish/Order", `artifacts/${artifactId}`]) {
          await page.goto(`${server.url}/${path}`);
          if (path === "publish/Order") await publish(page).click();
          await page
            .getByText(path === "publish/Order" ? "is required" : '"basil"', { exact: true })
            .first()
            .waitFor();
          const { violations } = await new AxeBuilder({ page }).analyze();
          const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
          expect(serious.map(({ id, nodes }) => `${path} ${width}: ${id} ${nodes[0]?.html}`)).toEqual([]);
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(overflow, `${path} at ${width} px`).toBeLessThanOrEqual(0);
        }
      }
    },
  );

  it("a strict content security policy may stand", async () => {
    await using server = await restaurant([new StrictPolicy()]);
    await using opened = await browser.open("about:blank");
    const { page } = opened;
    await page.goto(`${server.url}/publish/Order`);
    await json(page).fill(JSON.stringify(ORDER));
    await publish(page).click();
    await page.getByText("Published.").waitFor();
    await page.getByRole("link", { name: "Show the artifact" }).click();
    await page.getByText('"basil"', { exact: true }).waitFor();
    // What is large comes by way of a worker.
    const large = Order({ ...ORDER, toppings: Array.from({ length: 4_000 }, () => ({ name: "x".repeat(90) })) });
    const { artifactId } = await server.flock.publish(large);
    await page.goto(`${server.url}/artifacts/${artifactId}`);
    await page.getByRole("treeitem", { name: /toppings/ }).waitFor();
    expect(page.workers()).toHaveLength(1);
    expect(opened.errors).toEqual([]);
  });
});
