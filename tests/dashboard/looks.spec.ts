import type { Page } from "@playwright/test";
import { artifact, Flock } from "flock-ts";
import { z } from "zod";
import { startServer } from "../support/server.ts";
import { axe } from "./axe.ts";
import { expect, test } from "./fixtures.ts";
import { quietDocument } from "./stillness.ts";

/** Wider than any field, without a break. */
const LONG = "a-name-that-goes-on-and-on-".repeat(6);
const ARABIC = "تقرير عن المطبخ";

const Order = artifact("Order", z.object({ customer: z.string(), notes: z.array(z.string()).default([]) }));
const Payment = artifact("Payment", z.object({ order: z.string() }));
const Dish = artifact("Dish", z.object({ title: z.string() }));

/** Serves what strains a layout: long names, failures, a waiting gate, and streams in two scripts. */
async function kitchen() {
  const flock = new Flock();
  flock
    .agent("cook")
    .description(`Cooks. ${LONG}`)
    .consumes(Order)
    .publishes(Dish)
    .run(async function* ({ Order: order }) {
      for (let n = 0; n < 12; n++) yield `${n}: ${ARABIC} for ${order.customer}\n`;
      if (order.customer.startsWith("fail")) throw new TypeError(`the oven does not answer: ${LONG}`);
      return Dish({ title: `${ARABIC} ${order.customer}` });
    });
  flock
    .agent("cashier")
    .description("Waits for the money")
    .consumes(Order, Payment)
    .run(() => undefined);
  flock
    .agent(LONG)
    .description(ARABIC)
    .consumes(Dish)
    .run(() => undefined);
  const server = await startServer({ flock, components: [], dashboard: true });
  const work = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await flock.publish(Order({ customer: n % 4 === 3 ? `fail ${n}` : `guest ${n} ${LONG}` }));
    }
    await flock.runUntilIdle();
  };
  await work(0, 8);
  return { ...server, work };
}

/** Each visually different state of the page: its path and the actions that lead to it. */
const STATES: Readonly<Record<string, { path: string; act?: (page: Page) => Promise<unknown> }>> = {
  agents: { path: "/agents" },
  "moving boxes": {
    path: "/agents",
    act: async (page) => {
      // Narrow pages have no graph.
      if ((page.viewportSize()?.width ?? 0) < 700) return;
      await page.getByRole("button", { name: "Move boxes without dragging" }).click();
      await page.locator(".react-flow__node").first().focus();
      await page.keyboard.press("Enter");
    },
  },
  "an agent": { path: "/agents/cook" },
  runs: { path: "/runs" },
  "a failed run": {
    path: "/runs?status=failed",
    act: (page) => page.getByRole("list", { name: "Runs", exact: true }).getByRole("link").first().click(),
  },
  "no matching runs": { path: "/runs?q=nothing-is-called-that" },
  "an unknown run": { path: "/runs/unknown" },
  output: { path: "/output" },
  "a search in an output": {
    path: "/output",
    act: async (page) => {
      await page.getByRole("button", { name: "Search this output" }).first().click();
      await page.keyboard.type("for");
    },
  },
  blackboard: { path: "/blackboard" },
  "an artifact": {
    path: "/blackboard?type=Dish",
    act: (page) => page.getByRole("link", { name: "Dish" }).first().click(),
  },
  "a comparison": {
    path: "/blackboard?type=Dish",
    act: async (page) => {
      await page.getByRole("link", { name: "Dish" }).first().click();
      await page.getByLabel("Compare with").selectOption({ index: 1 });
      await expect(page.getByRole("region", { name: "Comparison" })).toBeVisible();
    },
  },
  events: { path: "/events" },
  "filtered events": { path: "/events?types=artifact_published,agent_execution_completed&agents=cook&q=guest" },
  "an event": { path: "/events/3" },
  publish: { path: "/publish/Order" },
  "an invalid form": {
    path: "/publish/Order",
    act: async (page) => {
      await page.getByRole("group", { name: "notes" }).getByRole("button", { name: "Add" }).click();
      await page.getByRole("button", { name: "Publish Order" }).click();
      await expect(page.getByText("is required", { exact: true }).first()).toBeVisible();
    },
  },
  health: { path: "/system" },
  control: { path: "/control" },
  palette: { path: "/agents", act: (page) => page.keyboard.press("Control+k") },
  "a palette without results": {
    path: "/agents",
    act: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill("nothing-is-called-that");
    },
  },
  shortcuts: {
    path: "/agents",
    act: async (page) => {
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  "the past": { path: "/runs?seq=12" },
};

async function show(page: Page, url: string, { path, act }: (typeof STATES)[string]): Promise<void> {
  await page.goto(url + path);
  await expect(page.getByRole("status").getByText("Live")).toBeVisible();
  // A screen's code is loaded on demand. Until then there is a loading message.
  await expect(page.locator("#content :is(h1, h2, h3, p)").first()).toBeAttached();
  await act?.(page);
}

/** Returns axe violations of these tags that are serious, critical, or break WCAG 2.2 AA. */
async function violations(page: Page, tags: readonly string[]): Promise<string[]> {
  const { violations } = await axe(page)
    .withTags([...tags])
    // Level AAA, but tagged `cat.color` like the AA rules.
    .disableRules(["color-contrast-enhanced"])
    .analyze();
  return violations
    .filter(({ impact, tags }) => impact === "serious" || impact === "critical" || tags.includes("wcag22aa"))
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

const EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** The rules whose result depends on the theme. */
const COLOURS = ["cat.color"];

/** One page goes through all states. A busy machine takes minutes for that. */
const PATIENCE_MS = 600_000;

test.describe("WCAG 2.2 AA in every state of every screen", () => {
  // Each state is set up once and checked in both themes.
  for (const [width, theme, other] of [
    [1440, "light", "dark"],
    [390, "dark", "light"],
  ] as const)
    test(`axe reports nothing in both themes, and targets are large enough, at ${width} px`, async ({
      page,
      errors,
    }) => {
      test.setTimeout(PATIENCE_MS);
      await using server = await kitchen();
      await page.setViewportSize({ width, height: 844 });
      const found: string[] = [];
      for (const [name, state] of Object.entries(STATES)) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await show(page, server.url, state);
        for (const one of await violations(page, EVERYTHING)) found.push(`${name}, ${theme}: ${one}`);
        for (const one of (await page.evaluate(SMALL_TARGETS)) as string[]) found.push(`${name}, too small: ${one}`);
        await page.emulateMedia({ colorScheme: other, reducedMotion: "reduce" });
        await expect(page.locator(`html[data-theme=${other}]`)).toBeVisible();
        for (const one of await violations(page, COLOURS)) found.push(`${name}, ${other}: ${one}`);
      }
      expect([...new Set(found)]).toEqual([]);
      expect(errors).toEqual([]);
    });

  test("content fits into 320 px with increased text spacing", async ({ page }) => {
    test.setTimeout(PATIENCE_MS);
    await using server = await kitchen();
    await page.setViewportSize({ width: 320, height: 640 });
    await page.addInitScript(`addEventListener("DOMContentLoaded", () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }");
      document.adoptedStyleSheets.push(sheet);
    })`);
    const found: string[] = [];
    for (const [name, state] of Object.entries(STATES)) {
      await show(page, server.url, state);
      const { over, out } = (await page.evaluate(OVERFLOW)) as { over: number; out: string[] };
      if (over > 0) found.push(`${name}: ${over} px too wide`);
      for (const one of out) found.push(`${name}: ${one}`);
    }
    expect(found).toEqual([]);
  });
});

/**
 * Finds targets smaller than 24 px with a neighbour nearer than that (WCAG 2.5.8). Links within a sentence are exempt.
 */
const SMALL_TARGETS = `(() => {
  const dialog = document.querySelector("dialog[open]");
  const all = [...(dialog ?? document).querySelectorAll("a, button, select, input, [role=option], summary")];
  const seen = all.filter((one) => one.checkVisibility() && !one.closest(".sr-only, .react-flow__viewport") && !one.disabled);
  const boxes = seen.map((one) => {
    // The link covers its whole row.
    const row = getComputedStyle(one, "::after").position === "absolute" ? one.closest("tr") : null;
    const label = one.matches("input[type=checkbox], input[type=radio]") ? one.closest("label") : null;
    return (row ?? label ?? one).getBoundingClientRect();
  });
  return seen.flatMap((one, at) => {
    const box = boxes[at];
    if (box.width === 0 || (box.width >= 24 && box.height >= 24)) return [];
    const isInText = one.matches("a") && getComputedStyle(one).display === "inline" && one.parentElement.matches("p, li, dd");
    if (isInText) return [];
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    const isNear = boxes.some((other, index) => index !== at && other.width > 0 &&
      Math.max(other.left - x, x - other.right, 0) ** 2 + Math.max(other.top - y, y - other.bottom, 0) ** 2 < 12 ** 2);
    return isNear ? [one.outerHTML.slice(0, 120) + " " + Math.round(box.width) + "x" + Math.round(box.height)] : [];
  });
})()`;

/** Measures how far the page exceeds the window, and finds content outside that no scrolling reaches. */
const OVERFLOW = `(() => {
  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const { overflowX } = getComputedStyle(at);
      if (overflowX === "auto" || overflowX === "scroll") return true;
      if (at.classList.contains("truncate") || at.classList.contains("sr-only")) return true;
    }
    return false;
  };
  const out = [...document.querySelectorAll("#content :is(button, a, input, select, h1, h2, h3, dd, p)")]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one))
    .map((one) => one.outerHTML.slice(0, 120));
  return { over: document.documentElement.scrollWidth - innerWidth, out };
})()`;

/** The accepted layout shift: a tenth of what counts as good. A word that grows stays below it. */
const UNSEEN = 0.01;

test.describe("layout stability", () => {
  test("a run's output stays in place whether its workflow has 1 run or 50, and its bar is in view", async ({
    page,
  }) => {
    const flock = new Flock();
    flock
      .agent("cook")
      .consumes(Order)
      .run(() => undefined);
    await using server = await startServer({ flock, components: [], dashboard: true });
    await page.setViewportSize({ width: 1440, height: 844 });
    const place = async () => {
      const bar = page.getByRole("list", { name: "Runs of this workflow" }).locator("[aria-current]");
      await expect(bar).toBeVisible();
      const [at, room] = [await bar.boundingBox(), await page.getByRole("region", { name: "Workflow" }).boundingBox()];
      expect(at?.y).toBeGreaterThan(room?.y ?? 0);
      expect((at?.y ?? 0) + (at?.height ?? 0)).toBeLessThan((room?.y ?? 0) + (room?.height ?? 0));
      return (await page.getByRole("region", { name: "Output" }).boundingBox())?.y;
    };
    await flock.publish(Order({ customer: "one" }));
    await flock.runUntilIdle();
    await page.goto(`${server.url}/runs`);
    const alone = await place();
    await flock.publish(
      Array.from({ length: 50 }, (_, n) => Order({ customer: `guest ${n}` })),
      { correlationId: "party" },
    );
    await flock.runUntilIdle();
    await expect(page.getByText(/^50 runs in/)).toBeVisible();
    // The newest run is the last of its workflow.
    await page.getByRole("list", { name: "Runs", exact: true }).getByRole("link").first().click();
    expect(await place()).toBe(alone);
  });

  for (const width of [1440, 390])
    test(`no screen shifts while events arrive, at ${width} px`, async ({ page }) => {
      test.setTimeout(PATIENCE_MS);
      await using server = await kitchen();
      await page.setViewportSize({ width, height: 844 });
      await page.addInitScript(`
        globalThis.shifts = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            const moved = entry.sources.map(({ node }) => (node instanceof Element ? node : node?.parentElement)?.outerHTML.slice(0, 160));
            shifts.push([entry.value, moved.join(" and ")]);
          }
        }).observe({ type: "layout-shift" });
      `);
      let orders = 8;
      const found: string[] = [];
      for (const path of [
        "/agents",
        "/agents/cook",
        // The followed run changes by itself.
        "/runs",
        "/output",
        "/blackboard",
        "/events",
        "/publish/Order",
        "/control",
        "/system",
      ]) {
        await test.step(path, async () => {
          await page.goto(server.url + path);
          await expect(page.getByRole("status").getByText("Live")).toBeVisible();
          await expect(page.locator("#content :is(h1, h2, h3, p)").first()).toBeAttached();
          await page.evaluate("document.fonts.ready");
          await quietDocument(page);
          await page.evaluate("shifts.length = 0");
          for (let round = 0; round < 3; round++) {
            await server.work(orders, orders + 4);
            orders += 4;
            await expect(page.getByRole("slider", { name: "Seq" })).toHaveAttribute("max", `${server.flock.log.head}`);
          }
          await quietDocument(page);
          const shifts = (await page.evaluate("shifts")) as [number, string][];
          const sum = shifts.reduce((sum, [value]) => sum + value, 0);
          if (sum > UNSEEN) found.push(`${path}: ${sum.toFixed(4)} ${JSON.stringify(shifts)}`);
        });
      }
      expect(found).toEqual([]);
    });
});
