import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../../../tests/support/manual-clock.ts";
import { artifact, Flock } from "../index.ts";

const Order = artifact("Order", z.object({ n: z.int() }));

async function turn(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A chef who fails while the oven is broken, on a clock that stands still. */
function kitchen(options: { failures?: number; within?: number; cooldown?: number } = {}, attempts = 1) {
  const clock = new ManualClock();
  const flock = new Flock({ clock });
  const oven = { isBroken: true, tried: [] as number[] };
  flock
    .agent("chef")
    .consumes(Order)
    .concurrency(1)
    .retry({ attempts, delay: 10, jitter: 0 })
    .circuitBreaker({ failures: 3, cooldown: 1_000, ...options })
    .run(async ({ Order: { n } }) => {
      oven.tried.push(n);
      await turn();
      if (oven.isBroken) throw new Error("the oven is cold");
    });
  const order = async (...ns: number[]) => {
    await flock.publish(ns.map((n) => Order({ n })));
    for (let n = 0; n < 20; n++) await turn();
  };
  const circuit = () => flock.agents()[0]?.circuit;
  const pass = async (ms: number) => {
    clock.pass(ms);
    for (let n = 0; n < 20; n++) await turn();
  };
  return { flock, clock, oven, order, circuit, pass };
}

describe("an agent with a circuit breaker", () => {
  it("is left alone after so many failures in a row; then one run tries, and the rest follows when that succeeds", async () => {
    const { flock, clock, oven, order, circuit, pass } = kitchen();
    expect(circuit()).toEqual({ state: "closed", failures: 0 });
    await order(1, 2, 3, 4, 5, 6);
    expect(oven.tried).toEqual([1, 2, 3]);
    const open_until = new Date(clock.now() + 1_000).toISOString();
    expect(circuit()).toEqual({ state: "open", failures: 3, open_until });
    expect(flock.stats().runs).toMatchObject({ queued: 3, running: 0, error: 3 });
    await pass(999);
    expect(oven.tried).toEqual([1, 2, 3]);
    await pass(1);
    expect(oven.tried).toEqual([1, 2, 3, 4]);
    expect(circuit()).toMatchObject({ state: "open" });
    oven.isBroken = false;
    await order(7);
    await pass(1_000);
    await flock.runUntilIdle();
    expect(oven.tried).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(circuit()).toEqual({ state: "closed", failures: 0 });
    await flock.shutdown();
  });

  it("lets the next work that comes try, when none has waited for it", async () => {
    const { flock, oven, order, circuit, pass } = kitchen();
    await order(1, 2, 3);
    await pass(5_000);
    oven.isBroken = false;
    await order(4);
    expect(oven.tried).toEqual([1, 2, 3, 4]);
    expect(circuit()).toMatchObject({ state: "closed" });
    await flock.shutdown();
  });

  it("counts only failures in a row, and those close enough together", async () => {
    const { flock, oven, order, circuit, pass } = kitchen({ within: 100 });
    await order(1, 2);
    oven.isBroken = false;
    await order(3);
    oven.isBroken = true;
    await order(4, 5);
    expect(circuit()).toMatchObject({ state: "closed", failures: 2 });
    await pass(101);
    await order(6);
    expect(circuit()).toMatchObject({ state: "closed" });
    await order(7, 8);
    expect(circuit()).toMatchObject({ state: "open" });
    await flock.shutdown();
  });

  it("can have its held work cancelled, and the next in line tries when the one that tries is cancelled", async () => {
    const { flock, oven, order, circuit, pass } = kitchen({ failures: 1 });
    await order(1);
    for (const n of [2, 3, 4]) await flock.publish(Order({ n }), { correlationId: `order-${n}` });
    expect((await flock.cancel({ correlationId: "order-2" })).cancelled).toBe(1);
    const probing = pass(1_000);
    expect((await flock.cancel({ correlationId: "order-3" })).cancelled).toBe(1);
    oven.isBroken = false;
    await probing;
    await flock.runUntilIdle();
    expect(oven.tried).toEqual([1, 3, 4]);
    expect(circuit()).toMatchObject({ state: "closed" });
    await flock.shutdown();
  });

  it("holds retries, too", async () => {
    const { flock, oven, order, pass } = kitchen({ failures: 1 }, 2);
    await order(1);
    await pass(10);
    expect(oven.tried).toEqual([1]);
    oven.isBroken = false;
    await pass(990);
    await flock.runUntilIdle();
    expect(oven.tried).toEqual([1, 1]);
    expect(flock.deadLetters()).toEqual([]);
    await flock.shutdown();
  });

  it("lets the flock shut down while work is held", async () => {
    const { flock, order } = kitchen({ failures: 1 });
    await order(1, 2, 3);
    await flock.shutdown();
    expect(flock.stats().runs).toMatchObject({ queued: 0, interrupted: 2 });
  });
});
