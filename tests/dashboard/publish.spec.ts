import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { ServerComponent, type ServerContext } from "flock-ts/components/server";
import { z } from "zod";
import { servedPizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";
import { seriousViolationsOf } from "./axe.ts";
import { expect, test } from "./fixtures.ts";

/** A recursive type. */
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

/** Serves one agent that runs on an order, one that also waits for a payment, and one that needs a tag. */
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

/** Restricts pages to code and data from this server. */
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

test.describe("the form follows the artifact's schema", () => {
  test("supports lists, unions, records, recursive types and nullable fields", async ({ page, errors }) => {
    await using server = await restaurant();
    await page.goto(`${server.url}/publish/Order`);
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
    await expect(page.getByLabel("olives", { exact: true })).toBeVisible();
    const kit = page.getByRole("group", { name: "kit" });
    await kit.getByLabel("name").first().fill("box");
    await kit.getByRole("button", { name: "Add" }).click();
    await kit.getByLabel("name").nth(1).fill("lid");
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
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
    expect(errors).toEqual([]);
  });

  test("shows a server-side error at its field and at its line of the JSON", async ({ page }) => {
    await using server = await restaurant();
    await page.goto(`${server.url}/publish/Order`);
    await json(page).fill(JSON.stringify({ ...ORDER, guests: 13 }, null, 2));
    await publish(page).click();
    await expect(
      page.locator(".form-group", { hasText: "guests" }).getByText("that brings bad luck").first(),
    ).toBeVisible();
    const problems = page.getByRole("list", { name: "Problems in the JSON" });
    await expect(problems.getByText("guests that brings bad luck")).toBeVisible();
    await problems.getByRole("button", { name: "Line 13" }).click();
    expect(await page.evaluate("getSelection().toString()")).toBe("13");
    await page.getByLabel("guests").fill("12");
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
  });
});

test.describe("form and JSON stay in sync", () => {
  test("changes appear on both sides, and invalid JSON is kept and not sent", async ({ page }) => {
    await using server = await restaurant();
    await page.goto(`${server.url}/publish/Order`);
    await form(page).getByLabel("customer").fill("Bo");
    await expect(json(page)).toHaveValue(/"customer": "Bo"/);
    await json(page).fill('{\n  "customer": "Cleo"\n  "mail": null\n}');
    await expect(page.getByText(": expected a comma")).toBeVisible();
    await expect(page.getByRole("button", { name: "Line 3, column 3" })).toBeVisible();
    await publish(page).click();
    await expect(page.getByText("The JSON is invalid.")).toBeVisible();
    expect(await json(page).inputValue()).toContain("Cleo");
    expect(await published(server)).toEqual([]);
    await json(page).fill(JSON.stringify(ORDER));
    expect(await form(page).getByLabel("customer").inputValue()).toBe("Al");
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
    expect(await published(server)).toHaveLength(1);
  });

  test("a recent artifact fills the form", async ({ page }) => {
    await using server = await restaurant();
    const { artifactId } = await server.flock.publish(Order({ ...ORDER, customer: "Dee" }));
    await page.goto(`${server.url}/publish/Order?from=${artifactId}`);
    await form(page).getByLabel("customer").fill("Eve");
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
    expect(await published(server)).toMatchObject([
      { ...ORDER, customer: "Eve" },
      { ...ORDER, customer: "Dee" },
    ]);
    await page.goto(`${server.url}/publish/Order`);
    await page.getByLabel("Start from a recent payload").selectOption({ index: 1 });
    await expect(form(page).getByLabel("customer")).toHaveValue("Eve");
  });
});

test.describe("large payloads in the form", () => {
  test("are edited as text, or not in the browser at all", async ({ page, errors }) => {
    await using server = await restaurant();
    const many = (n: number) =>
      Order({ ...ORDER, toppings: Array.from({ length: n }, () => ({ name: "x".repeat(90) })) });
    const long = await server.flock.publish(many(1_000));
    const longer = await server.flock.publish(many(30_000));
    await page.goto(`${server.url}/publish/Order?from=${long.artifactId}`);
    await expect(page.getByText("Too large for a form")).toBeVisible();
    await json(page).fill(JSON.stringify({ ...ORDER, customer: "Gus" }));
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
    expect((await published(server))[0]).toMatchObject({ customer: "Gus" });
    await page.goto(`${server.url}/publish/Order?from=${longer.artifactId}`);
    await expect(page.getByText("too many to edit in a browser")).toBeVisible();
    expect(errors).toEqual([]);
  });
});

test.describe("preview of activated agents", () => {
  test("lists agents that would run, wait or ignore the artifact, and changes nothing", async ({ page }) => {
    await using server = await restaurant();
    await page.goto(`${server.url}/publish/Order`);
    const wakes = page.getByRole("region", { name: "Preview: triggered agents" });
    await expect(wakes.getByText("Fill in the fields to see which agents would run.")).toBeVisible();
    await json(page).fill(JSON.stringify(ORDER));
    await expect(wakes.getByText("cook would run")).toBeVisible();
    await expect(wakes.getByText("cashier would wait for Payment")).toBeVisible();
    await expect(wakes.getByText("express would not run: it consumes other tags")).toBeVisible();
    await page.getByLabel("Tags, comma-separated").fill("fast");
    await expect(wakes.getByText("express would run")).toBeVisible();
    await server.flock.publish(Payment({ order: "1" }));
    await form(page).getByLabel("customer").fill("Flo");
    await expect(wakes.getByText("cashier would run")).toBeVisible();
    await server.flock.runUntilIdle();
    expect(server.flock.stats().runs).toMatchObject({ started: 0, queued: 0 });
    expect(await published(server)).toEqual([]);
  });
});

test.describe("comparing two artifacts of a type", () => {
  test("marks changes by sign and word, folds equal rows, and moves between changes", async ({ page, errors }) => {
    await using server = await restaurant();
    const before = { ...ORDER, toppings: ["a", "b", "c", "d", "oil"].map((name) => ({ name })) };
    const after = { ...before, customer: "Bo", toppings: [{ name: "ham" }, ...before.toppings.slice(0, 4)] };
    await server.flock.publish(Order(before));
    const { artifactId } = await server.flock.publish(Order(after));
    await page.goto(`${server.url}/artifacts/${artifactId}`);
    await page.getByLabel("Compare with").selectOption({ index: 1 });
    const comparison = page.getByRole("region", { name: "Comparison" });
    await expect(comparison.getByText("3 changes")).toBeVisible();
    const row = (text: RegExp) => comparison.getByRole("treeitem").filter({ hasText: text });
    await expect(row(/changed: customer:"Al".*changed: customer:"Bo"/)).toBeVisible();
    await expect(row(/added: name:"ham"/)).toBeVisible();
    await expect(row(/removed: name:"oil"/)).toBeVisible();
    await comparison.getByRole("button", { name: "4 unchanged" }).click();
    await expect(row(/unchanged: 1:/)).toBeVisible();
    await comparison.getByRole("button", { name: "Next change" }).click();
    await expect(comparison.getByText("3 changes, change 1")).toBeVisible();
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await seriousViolationsOf(page), `at ${width} px`).toEqual([]);
    }
    await page.getByRole("link", { name: "Publish again with changes" }).click();
    await expect(form(page).getByLabel("customer")).toHaveValue("Bo");
    expect(errors).toEqual([]);
  });
});

test.describe("accessibility and content security", () => {
  for (const scheme of ["light", "dark"] as const)
    test(`axe reports nothing serious on valid and invalid forms, wide and narrow (${scheme})`, async ({ page }) => {
      await using server = await restaurant();
      const { artifactId } = await server.flock.publish(Order(ORDER));
      await page.goto(`${server.url}/publish/Order`);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 844 });
        for (const path of ["publish/Order", `artifacts/${artifactId}`]) {
          await page.goto(`${server.url}/${path}`);
          if (path === "publish/Order") await publish(page).click();
          await expect(
            page.getByText(path === "publish/Order" ? "is required" : '"basil"', { exact: true }).first(),
          ).toBeVisible();
          expect(await seriousViolationsOf(page), `${path} at ${width} px`).toEqual([]);
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(overflow, `${path} at ${width} px`).toBeLessThanOrEqual(0);
        }
      }
    });

  test("works under a strict content security policy", async ({ page, errors }) => {
    await using server = await restaurant([new StrictPolicy()]);
    await page.goto(`${server.url}/publish/Order`);
    await json(page).fill(JSON.stringify(ORDER));
    await publish(page).click();
    await expect(page.getByText("Published.")).toBeVisible();
    await page.getByRole("link", { name: "Show artifact" }).click();
    await expect(page.getByText('"basil"', { exact: true })).toBeVisible();
    // A large payload is parsed in a worker.
    const large = Order({ ...ORDER, toppings: Array.from({ length: 4_000 }, () => ({ name: "x".repeat(90) })) });
    const { artifactId } = await server.flock.publish(large);
    await page.goto(`${server.url}/artifacts/${artifactId}`);
    await expect(page.getByRole("treeitem", { name: /toppings/ })).toBeVisible();
    expect(page.workers()).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});

test.describe("publishing by a form", () => {
  test("reports a missing field, then publishes and links to the artifact", async ({ page }) => {
    await using server = await servedPizzeria();
    await page.goto(`${server.url}/publish/Idea`);
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await expect(page.getByText("is required", { exact: true })).toBeVisible();
    await page.getByLabel("description").fill("basil");
    await page.getByRole("button", { name: "Publish Idea" }).click();
    await expect(page.getByText("pizza_master will run")).toBeVisible();
    await page.getByRole("link", { name: "Show artifact" }).click();
    await expect(page.getByText('"basil"')).toBeVisible();
    await server.flock.runUntilIdle();
    expect(server.flock.stats().runs.success).toBe(2);
  });
});
