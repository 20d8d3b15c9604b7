import { join } from "node:path";
import { emptyState, type FlockEvent, type Principal, reduceAll } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import type { AgentBuilder } from "../../agents/builder.ts";
import { artifact, Flock, memoryStore, visibility } from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import type { Store } from "../../store/store.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { readEvents } from "../../testing/read-events.ts";

const Order = artifact("Order", z.object({ n: z.int() }));

interface Surroundings {
  readonly clock?: FakeClock;
  readonly store?: Store;
  readonly hasBreaker?: boolean;
}

async function turn(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Creates a chef that fails while the oven is broken, on a manually advanced clock. */
async function kitchen(
  options: { failures?: number; within?: number; cooldown?: number } = {},
  attempts = 1,
  declare = (chef: AgentBuilder) => chef,
  { clock = fakeClock(), store = memoryStore(), hasBreaker = true }: Surroundings = {},
) {
  const flock = await Flock.open({ clock, store });
  const oven = { isBroken: true, tried: [] as number[] };
  const chef = declare(flock.agent("chef"));
  if (hasBreaker) chef.circuitBreaker({ failures: 3, cooldown: 1_000, ...options });
  chef
    .consumes(Order)
    .concurrency(1)
    .retry({ attempts, delay: 10, jitter: 0 })
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
    await clock.advance(ms);
    for (let n = 0; n < 20; n++) await turn();
  };
  return { flock, clock, oven, order, circuit, pass };
}

describe("circuit breaker", () => {
  it("holds runs after consecutive failures, then releases them when a trial run succeeds", async () => {
    const { flock, clock, oven, order, circuit, pass } = await kitchen();
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

  it("uses the next activation as trial when none was held", async () => {
    const { flock, oven, order, circuit, pass } = await kitchen();
    await order(1, 2, 3);
    await pass(5_000);
    oven.isBroken = false;
    await order(4);
    expect(oven.tried).toEqual([1, 2, 3, 4]);
    expect(circuit()).toMatchObject({ state: "closed" });
    await flock.shutdown();
  });

  it("counts only consecutive failures within the window", async () => {
    const { flock, oven, order, circuit, pass } = await kitchen({ within: 100 });
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

  it("allows held work to be cancelled, and uses the next activation when the trial is cancelled", async () => {
    const { flock, oven, order, circuit, pass } = await kitchen({ failures: 1 });
    await order(1);
    for (const n of [2, 3, 4]) await flock.publish(Order({ n }), { correlationId: `order-${n}` });
    expect((await flock.cancel({ correlationId: "order-2" })).cancelled).toBe(1);
    const probing = pass(1_000);
    while (!oven.tried.includes(3)) await new Promise<void>((resolve) => setImmediate(resolve));
    expect((await flock.cancel({ correlationId: "order-3" })).cancelled).toBe(1);
    oven.isBroken = false;
    await probing;
    await flock.runUntilIdle();
    expect(oven.tried).toEqual([1, 3, 4]);
    expect(circuit()).toMatchObject({ state: "closed" });
    await flock.shutdown();
  });

  it("holds retries", async () => {
    const { flock, oven, order, pass } = await kitchen({ failures: 1 }, 2);
    await order(1);
    await pass(10);
    expect(oven.tried).toEqual([1]);
    oven.isBroken = false;
    await pass(990);
    await flock.runUntilIdle();
    expect(oven.tried).toEqual([1, 1]);
    expect(await flock.deadLetters()).toEqual([]);
    await flock.shutdown();
  });

  it("does not delay a shutdown", async () => {
    const { flock, order } = await kitchen({ failures: 1 });
    await order(1, 2, 3);
    await flock.shutdown();
    expect(flock.stats().runs).toMatchObject({ queued: 0, interrupted: 2 });
  });
});

describe("circuit events", () => {
  it("are emitted for each change, after the run that caused it and before the next one", async () => {
    const { flock, clock, oven, order, pass } = await kitchen({ failures: 2 });
    await order(1, 2, 3);
    const retry_at = new Date(clock.now() + 1_000).toISOString();
    expect(graphed(flock)).toBe("open");
    await pass(1_000);
    oven.isBroken = false;
    await pass(1_000);
    expect(graphed(flock)).toBe("open");
    await order(4);
    await flock.runUntilIdle();
    const events = await readEvents(flock.log);
    const changes = events.filter(({ type }) => type === "agent_circuit_changed");
    expect(changes).toMatchObject([
      { agent_id: "chef", state: "open", failures: 2, retry_at },
      { state: "half_open" },
      { state: "open", failures: 2 },
      { state: "half_open" },
      { state: "closed" },
    ]);
    expect(changes[1]).not.toHaveProperty("retry_at");
    expect(changes[0]).not.toHaveProperty("visibility");
    const around = (seq: number) => [events[seq - 2]?.type, events[seq]?.type];
    expect(around(changes[0]?.seq as number)[0]).toBe("agent_execution_completed");
    expect(around(changes[1]?.seq as number)[1]).toBe("agent_execution_started");
    expect(around(changes[4]?.seq as number)[0]).toBe("agent_execution_completed");
    const states = changes.map(({ seq }) => stateAt(events, seq).agents.get("chef")?.circuit);
    expect(states).toEqual([
      { state: "open", failures: 2, retry_at },
      { state: "half_open", failures: 2 },
      { state: "open", failures: 2, retry_at: expect.any(String) },
      { state: "half_open", failures: 2 },
      undefined,
    ]);
    expect(graphed(flock)).toBeUndefined();
    await flock.shutdown();
  });

  it("are visible only to principals that may see the agent", async () => {
    const { flock } = await kitchen({ failures: 1 }, 1, (chef) => chef.tenant("left"));
    await flock.publish(Order({ n: 1 }), { visibility: visibility.tenant("left") });
    for (let n = 0; n < 20; n++) await turn();
    const [change] = (await readEvents(flock.log)).filter(({ type }) => type === "agent_circuit_changed");
    expect(change).toMatchObject({ state: "open", visibility: { kind: "tenant", tenant_id: "left" } });
    const seenBy = (tenant: string) => graphed(flock, { kind: "client", name: "guest", tenant });
    expect(seenBy("left")).toBe("open");
    expect(seenBy("right")).toBeUndefined();
    await flock.shutdown();
  });
});

describe("circuit on a persistent store", () => {
  /** Runs one process after the other on the same file. */
  async function restarts() {
    const folder = await temporaryFolder();
    const clock = fakeClock();
    return {
      clock,
      start: async (options = {}, hasBreaker = true) =>
        await kitchen(options, 1, undefined, { clock, store: sqliteStore(join(folder.path, "flock.db")), hasBreaker }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  }

  it("stays open until its time, then releases held work", async () => {
    await using file = await restarts();
    const first = await file.start();
    await first.order(1, 2, 3, 4, 5);
    expect(first.circuit()).toMatchObject({ state: "open" });
    await first.flock.shutdown();
    const second = await file.start();
    second.oven.isBroken = false;
    await second.order(6);
    expect(second.circuit()).toMatchObject({ state: "open", failures: 3 });
    await second.pass(999);
    expect(second.oven.tried).toEqual([]);
    await second.pass(1);
    await second.flock.runUntilIdle();
    expect(second.oven.tried.toSorted()).toEqual([4, 5, 6]);
    await second.flock.shutdown();
    const third = await file.start();
    expect(third.circuit()).toEqual({ state: "closed", failures: 0 });
    expect(graphed(third.flock)).toBeUndefined();
    await third.flock.shutdown();
  });

  it("uses the next activation when the trial was interrupted", async () => {
    await using file = await restarts();
    const first = await file.start({ failures: 1 });
    await first.order(1, 2);
    const passing = file.clock.advance(1_000);
    while (first.oven.tried.length < 2) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(first.circuit()).toMatchObject({ state: "half_open" });
    await first.flock.shutdown();
    await passing;
    const second = await file.start({ failures: 1 });
    expect(second.circuit()).toMatchObject({ state: "half_open" });
    second.oven.isBroken = false;
    await second.flock.runUntilIdle();
    expect(second.oven.tried).toEqual([2]);
    expect(second.circuit()).toMatchObject({ state: "closed" });
    await second.flock.shutdown();
  });

  it("waits no longer than the current declaration, and not at all without a breaker", async () => {
    await using file = await restarts();
    const first = await file.start({ cooldown: 60_000 });
    await first.order(1, 2, 3);
    await first.flock.shutdown();
    const second = await file.start({ cooldown: 10 });
    await second.order(4);
    await second.pass(10);
    expect(second.oven.tried).toEqual([4]);
    expect(second.circuit()).toMatchObject({ state: "open" });
    await second.flock.shutdown();
    const third = await file.start({}, false);
    await third.order(5);
    expect(third.oven.tried).toEqual([5]);
    expect((await readEvents(third.flock.log)).at(-1)).toMatchObject({ type: "agent_execution_completed" });
    expect(graphed(third.flock)).toBeUndefined();
    await third.flock.shutdown();
  });
});

function graphed(flock: Flock, as?: Principal) {
  return flock.graph(as).nodes.find(({ id }) => id === "chef")?.circuit;
}

function stateAt(events: readonly FlockEvent[], seq: number) {
  return reduceAll(
    emptyState(),
    events.filter((event) => event.seq <= seq),
  );
}
