import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { artifact, Flock } from "../../index.ts";
import { AgentComponent } from "../../middleware/agent-component.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Order = artifact("Order", z.object({ tenant: z.string() }));
const Approval = artifact("Approval", z.object({ ok: z.boolean() }));
const tenants = new AsyncLocalStorage<string>();
const NAMES = ["a", "b", "c", "d", "e", "f"];

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Publishes an order of each tenant, each as part of a request of the tenant. */
async function publishForAll(flock: Flock): Promise<void> {
  await Promise.all(NAMES.map((tenant) => tenants.run(tenant, () => flock.publish(Order({ tenant })))));
}

describe("a run is outside every AsyncLocalStorage of its publisher", () => {
  it("when it waits for another run to end", async () => {
    const seen: unknown[] = [];
    const flock = new Flock();
    flock
      .agent("baker")
      .consumes(Order)
      .concurrency(2)
      .run(async () => {
        seen.push(tenants.getStore());
        await turn();
        seen.push(tenants.getStore());
      });
    await publishForAll(flock);
    await flock.runUntilIdle();
    expect(seen).toEqual(Array(12).fill(undefined));
    await flock.shutdown();
  });

  it("when it starts at once, and in the components that are asked whether it may", async () => {
    const seen: unknown[] = [];
    class Watcher extends AgentComponent {
      override readonly name = "watcher";
      override schedule() {
        seen.push(tenants.getStore());
        return 0;
      }
    }
    const flock = new Flock();
    flock
      .agent("baker")
      .consumes(Order)
      .use(new Watcher())
      .run(() => void seen.push(tenants.getStore()));
    await publishForAll(flock);
    await flock.runUntilIdle();
    expect(seen).toEqual(Array(12).fill(undefined));
    await flock.shutdown();
  });

  it("when a retry, an open circuit, a batch or a schedule delays it", async () => {
    const clock = fakeClock();
    const seen: unknown[] = [];
    const flock = new Flock({ clock });
    const failing = flock.agent("failing").consumes(Order).retry({ attempts: 2, delay: 100, jitter: 0 });
    failing.circuitBreaker({ failures: 3, cooldown: 1_000 }).run(({ Order: { tenant } }, { attempt }) => {
      seen.push(tenants.getStore());
      if (attempt === 1 && tenant < "d") throw new Error("not yet");
    });
    flock
      .agent("batching")
      .consumes(Order, { batch: { size: 100, timeout: 500 } })
      .run(() => void seen.push(tenants.getStore()));
    flock
      .agent("ticking")
      .every(300, { maxTicks: 2 })
      .run(() => void seen.push(tenants.getStore()));
    await publishForAll(flock);
    await clock.advance(10_000);
    await flock.runUntilIdle();
    const runs = flock.stats().runs;
    expect(runs).toMatchObject({ error: 3, success: 6 + 1 + 2 });
    expect(seen.slice(6)).toEqual(Array(seen.length - 6).fill(undefined));
    await flock.shutdown();
  });

  it("when it tries several times, or asks a person", async () => {
    const seen: unknown[] = [];
    const flock = new Flock();
    flock
      .agent("baker")
      .consumes(Order)
      .concurrency(1)
      .publishes(Approval)
      .bestOf(2, () => {
        seen.push(tenants.getStore());
        return 1;
      })
      .run(async ({ Order: { tenant } }, { askPerson }) => {
        await askPerson(Approval, { question: `bake for ${tenant}?`, key: tenant });
        seen.push(tenants.getStore());
        return [];
      });
    await publishForAll(flock);
    for (const tenant of NAMES) {
      await vi.waitUntil(() => flock.questions().length > 0);
      const [question] = flock.questions();
      await tenants.run(`answer of ${tenant}`, () => flock.answer(question?.id ?? "", Approval({ ok: true })));
    }
    await flock.runUntilIdle();
    expect(seen).toEqual(Array(4 * NAMES.length).fill(undefined));
    await flock.shutdown();
  });

  it("when an earlier process has left it, and a request brings the first work", async () => {
    await using folder = await temporaryFolder();
    const store = () => sqliteStore(join(folder.path, "flock.db"));
    const before = await Flock.open({ store: store() });
    before
      .agent("baker")
      .consumes(Order)
      .run(() => new Promise<never>(() => {}));
    await publishForAll(before);
    await before.shutdown();

    const seen: unknown[] = [];
    const flock = await Flock.open({ store: store() });
    flock
      .agent("baker")
      .consumes(Order)
      .run(() => void seen.push(tenants.getStore()));
    await tenants.run("first", () => flock.publish(Order({ tenant: "first" })));
    await flock.runUntilIdle();
    expect(seen).toEqual(Array(7).fill(undefined));
    await flock.shutdown();
  });
});

describe("a package that is loaded within a request", () => {
  afterEach(() => vi.resetModules());

  it("does not keep the stores of that request", async () => {
    vi.resetModules();
    const { outside } = await tenants.run("first request", () => import("../../core/outside.ts"));
    expect(tenants.run("second request", () => outside(() => tenants.getStore()))).toBeUndefined();
    expect(tenants.run("second request", () => [outside(() => 1), tenants.getStore()])).toEqual([1, "second request"]);
  });
});
