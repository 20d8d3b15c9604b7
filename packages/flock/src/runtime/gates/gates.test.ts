import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventOf, eventSchema, type FlockEvent } from "@flock-ts/protocol";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { z } from "zod";
import type { OpenFlockOptions } from "../../flock.ts";
import { artifact, Flock } from "../../index.ts";
import { intercept } from "../../store/contract.ts";
import { sqliteStore } from "../../store/sqlite/store.ts";

const Order = artifact("Order", z.object({ id: z.string(), euros: z.number() }));
const Payment = artifact("Payment", z.object({ order: z.string(), euros: z.number() }));
const Reading = artifact("Reading", z.object({ n: z.number() }));

const order = (id: string, euros = 10) => Order({ id, euros });
const payment = (id: string, euros = 10) => Payment({ order: id, euros });
const reading = (n: number) => Reading({ n });
const orderId = { by: (one: { type: string; payload: unknown }) => Object.values(one.payload as object)[0] as string };

const flocks: Flock[] = [];
const recorded = new Map<Flock, FlockEvent[]>();
let folder = "";

async function newFlock(options: OpenFlockOptions = {}): Promise<Flock> {
  const flock = await Flock.open(options);
  const events: FlockEvent[] = [];
  const append = flock.log.append.bind(flock.log);
  vi.spyOn(flock.log, "append").mockImplementation((list) => {
    for (const { json } of list) events.push(eventSchema.parse(JSON.parse(json)));
    append(list);
  });
  flocks.push(flock);
  recorded.set(flock, events);
  return flock;
}

const progressOf = (flock: Flock) =>
  (recorded.get(flock) ?? []).filter((event): event is EventOf<"gate_progress"> => event.type === "gate_progress");
const waitingOf = (flock: Flock) => flock.agents()[0]?.subscriptions[0]?.waiting;

/** Advances the clock and waits for everything that this triggers. */
async function pass(flock: Flock, ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await flock.runUntilIdle();
}

beforeEach(() => {
  // A manually advanced clock.
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_700_000_000_000 });
  folder = mkdtempSync(join(tmpdir(), "flock-gates-"));
});

afterEach(async () => {
  for (const flock of flocks.splice(0)) await flock.shutdown();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

describe("whereGroup", () => {
  async function accountant() {
    const flock = await newFlock();
    const seen: string[] = [];
    flock
      .agent("accountant")
      .consumes(Order, Payment, {
        whereGroup: ({ Order: { euros }, Payment: paid }, artifacts) => {
          expectTypeOf(paid).toEqualTypeOf<{ order: string; euros: number }>();
          expect(artifacts).toHaveLength(2);
          if (euros < 0) throw new Error("that is no price");
          return euros === paid.euros;
        },
      })
      .run(({ Order: { id } }) => void seen.push(id));
    return { flock, seen };
  }

  it("drops the artifacts of a rejected group from the gate, with an event", async () => {
    const { flock, seen } = await accountant();
    await flock.publish([order("a", 10), payment("a", 20), order("b", 30), payment("b", 30)]);
    await flock.runUntilIdle();
    expect(seen).toEqual(["b"]);
    expect(progressOf(flock)[1]).toMatchObject({ collected: { Order: 0, Payment: 0 }, dropped: 2, reason: "refused" });
    expect(waitingOf(flock)).toMatchObject({ artifacts: 0, dropped: 2 });
    expect(await flock.store.getByType(Order)).toHaveLength(2);
  });

  it("counts an error as false", async () => {
    const { flock, seen } = await accountant();
    await flock.publish([order("a", -1), payment("a", -1), order("b"), payment("b")]);
    await flock.runUntilIdle();
    expect(seen).toEqual(["b"]);
  });
});

describe("join.within", () => {
  async function matcher(within: number | { artifacts: number }, store?: ReturnType<typeof sqliteStore>) {
    const flock = await newFlock(store ? { store } : {});
    const seen: string[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: { ...orderId, within } })
      .run(({ Order: { id, euros }, Payment: paid }) => void seen.push(`${id}: ${euros} ${paid.euros}`));
    return { flock, seen };
  }

  it("matches by key in any order, one to one, oldest first", async () => {
    const { flock, seen } = await matcher(1_000);
    await flock.publish([payment("a", 1), order("b", 2), order("a", 3), order("a", 4)]);
    await pass(flock, 999);
    await flock.publish([payment("b", 5), payment("a", 6), payment("a", 7)]);
    await flock.runUntilIdle();
    expect(seen).toEqual(["a: 3 1", "b: 2 5", "a: 4 6"]);
  });

  it("drops expired artifacts at the exact millisecond, with an event, and keeps them on the blackboard", async () => {
    const { flock, seen } = await matcher(1_000);
    await flock.publish(order("a"), { correlationId: "w" });
    expect(progressOf(flock)[0]?.expires_at).toBe(new Date(1_700_000_001_000).toISOString());
    expect(waitingOf(flock)).toEqual({
      pools: 1,
      artifacts: 1,
      batched: 0,
      max: 100_000,
      dropped: 0,
      next_expires_at: new Date(1_700_000_001_000).toISOString(),
    });
    await pass(flock, 999);
    expect(progressOf(flock)).toHaveLength(1);
    await pass(flock, 1);
    expect(progressOf(flock)[1]).toMatchObject({
      key: "a",
      correlation_id: "w",
      collected: { Order: 0, Payment: 0 },
      dropped: 1,
      reason: "expired",
    });
    await flock.publish(payment("a"));
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    expect(waitingOf(flock)).toMatchObject({ pools: 1, artifacts: 1, dropped: 1 });
    expect(await flock.store.getByType(Order)).toHaveLength(1);
  });

  it("does not match artifacts after the deadline, even if the timer is late", async () => {
    const { flock, seen } = await matcher(1_000);
    await flock.publish(order("a"));
    vi.setSystemTime(1_700_000_001_000);
    await flock.publish(payment("a"));
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    expect(progressOf(flock).map(({ collected, reason }) => [collected, reason])).toEqual([
      [{ Order: 1, Payment: 0 }, undefined],
      [{ Order: 0, Payment: 0 }, "expired"],
      [{ Order: 0, Payment: 1 }, undefined],
    ]);
  });

  it("counted in artifacts: matches within that many artifacts of the gate", async () => {
    const { flock, seen } = await matcher({ artifacts: 3 });
    await flock.publish([order("a"), order("b"), payment("a"), order("c"), payment("b")]);
    await flock.runUntilIdle();
    expect(seen).toEqual(["a: 10 10"]);
    expect(progressOf(flock).filter(({ reason }) => reason === "expired")).toMatchObject([{ key: "b", dropped: 1 }]);
  });

  it("matches artifacts by time without a key", async () => {
    const flock = await newFlock();
    const seen: number[][] = [];
    flock
      .agent("alarm")
      .consumes(Reading, Reading, Reading, { join: { within: 100 } })
      .run(({ Reading: readings }) => void seen.push(readings.map(({ n }) => n)));
    for (const n of [1, 2, 3, 4, 5]) {
      await flock.publish(reading(n));
      await pass(flock, n < 3 ? 60 : 20);
    }
    expect(seen).toEqual([[3, 4, 5].map((n) => n - 1)]);
  });

  it("continues across a restart, from the artifact's arrival", async () => {
    const path = join(folder, "flock.db");
    const first = await matcher(1_000, sqliteStore(path));
    await first.flock.publish(order("a"));
    await pass(first.flock, 500);
    await first.flock.publish(order("b"));
    await first.flock.shutdown();
    vi.advanceTimersByTime(499);

    const second = await matcher(1_000, sqliteStore(path));
    await second.flock.publish(payment("a"));
    await second.flock.runUntilIdle();
    expect(second.seen).toEqual(["a: 10 10"]);
    await second.flock.shutdown();
    vi.advanceTimersByTime(501);

    const third = await matcher(1_000, sqliteStore(path));
    await third.flock.runUntilIdle();
    expect(progressOf(third.flock)).toMatchObject([{ key: "b", dropped: 1, reason: "expired" }]);
    await third.flock.publish(payment("b"));
    await third.flock.runUntilIdle();
    expect(third.seen).toEqual([]);
  });

  it("continues counting across a restart", async () => {
    const path = join(folder, "flock.db");
    const first = await matcher({ artifacts: 4 }, sqliteStore(path));
    await first.flock.publish([order("a"), order("b"), payment("b")]);
    await first.flock.runUntilIdle();
    await first.flock.shutdown();
    const second = await matcher({ artifacts: 4 }, sqliteStore(path));
    await second.flock.publish([order("c"), payment("a")]);
    await second.flock.runUntilIdle();
    expect(second.seen).toEqual([]);
    expect(progressOf(second.flock)[1]).toMatchObject({ key: "a", dropped: 1, reason: "expired" });
  });
});

describe("batch", () => {
  async function collector(batch: { size?: number; timeout?: number }, options: OpenFlockOptions = {}) {
    const flock = await newFlock(options);
    const seen: number[][] = [];
    flock
      .agent("collector")
      .consumes(Reading, { batch })
      .run(({ Reading: readings }) => {
        expectTypeOf(readings).toEqualTypeOf<readonly { n: number }[]>();
        seen.push(readings.map(({ n }) => n));
      });
    return { flock, seen };
  }

  it("runs when full and reports its progress", async () => {
    const { flock, seen } = await collector({ size: 3 });
    const published = await flock.publish([1, 2, 3, 4].map(reading));
    await flock.runUntilIdle();
    expect(seen).toEqual([[1, 2, 3]]);
    expect(published.map(({ triggeredAgents }) => triggeredAgents.length)).toEqual([0, 0, 1, 0]);
    expect(progressOf(flock).map(({ collected, required }) => [collected.Reading, required.Reading])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
      [1, 3],
    ]);
    expect(waitingOf(flock)).toMatchObject({ pools: 0, artifacts: 0, batched: 1 });
  });

  it("runs when the timeout of its first artifact has passed, with what it has", async () => {
    const { flock, seen } = await collector({ size: 3, timeout: 100 });
    await flock.publish(reading(1));
    expect(progressOf(flock)[0]?.expires_at).toBe(new Date(1_700_000_000_100).toISOString());
    await pass(flock, 99);
    await flock.publish(reading(2));
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    await pass(flock, 1);
    expect(seen).toEqual([[1, 2]]);
    expect(progressOf(flock).at(-1)).toMatchObject({ collected: { Reading: 0 }, required: { Reading: 3 } });
    await pass(flock, 1_000);
    expect(seen).toHaveLength(1);
  });

  it("without a size: is full at `maxWaiting` artifacts", async () => {
    const { flock, seen } = await collector({ timeout: 100 });
    await flock.publish([1, 2].map(reading));
    await pass(flock, 100);
    expect(seen).toEqual([[1, 2]]);
    expect(flock.agents()[0]?.subscriptions[0]?.batch).toEqual({ size: 100_000, timeout_ms: 100 });
  });

  it("that is due: runs without later artifacts, even if the timer is late", async () => {
    const { flock, seen } = await collector({ size: 2, timeout: 100 });
    await flock.publish(reading(1));
    vi.setSystemTime(1_700_000_000_100);
    expect((await flock.publish(reading(2))).triggeredAgents).toEqual([]);
    await flock.runUntilIdle();
    expect(seen).toEqual([[1]]);
    await flock.publish(reading(3));
    await flock.runUntilIdle();
    expect(seen).toEqual([[1], [2, 3]]);
  });

  it("of joined groups: passes an array of groups", async () => {
    const flock = await newFlock();
    const seen: string[][] = [];
    flock
      .agent("ledger")
      .consumes(Order, Payment, { join: { ...orderId, within: 1_000 }, batch: { size: 2, timeout: 500 } })
      .run((groups) => {
        expectTypeOf(groups).toEqualTypeOf<
          readonly {
            readonly Order: { id: string; euros: number };
            readonly Payment: { order: string; euros: number };
          }[]
        >();
        seen.push(groups.map((group) => `${group.Order.id}=${group.Payment.order}`));
      });
    await flock.publish([order("a"), order("b"), order("c"), payment("c"), payment("b"), payment("a")]);
    await flock.runUntilIdle();
    expect(seen).toEqual([["c=c", "b=b"]]);
    expect(progressOf(flock).at(-1)).toMatchObject({ collected: { Order: 1, Payment: 1 }, required: { Order: 2 } });
    await pass(flock, 500);
    expect(seen).toEqual([["c=c", "b=b"], ["a=a"]]);
  });

  it("of joined groups: survives a restart with complete and incomplete groups", async () => {
    const path = join(folder, "flock.db");
    const ledger = async () => {
      const flock = await newFlock({ store: sqliteStore(path) });
      const seen: string[][] = [];
      flock
        .agent("ledger")
        .consumes(Order, Payment, { join: orderId, batch: { size: 3, timeout: 500 } })
        .run((groups) => void seen.push(groups.map((group) => `${group.Order.id}=${group.Payment.order}`)));
      return { flock, seen };
    };
    const first = await ledger();
    await first.flock.publish([order("a"), order("b"), payment("c"), payment("b")]);
    await first.flock.shutdown();
    const second = await ledger();
    await second.flock.publish(order("c"));
    await second.flock.runUntilIdle();
    expect(waitingOf(second.flock)).toMatchObject({ pools: 1, artifacts: 1, batched: 4 });
    await second.flock.shutdown();
    const third = await ledger();
    await third.flock.publish(payment("a"));
    await third.flock.runUntilIdle();
    expect([...first.seen, ...second.seen]).toEqual([]);
    expect(third.seen).toEqual([["b=b", "c=c", "a=a"]]);
  });

  it("that is waiting: does not delay runUntilIdle or shutdown", async () => {
    const { flock, seen } = await collector({ timeout: 100 });
    const before = vi.getTimerCount();
    await flock.publish(reading(1));
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    expect(vi.getTimerCount()).toBe(before + 1);
    await flock.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("with a timeout beyond the timer limit: runs at its time", async () => {
    const { flock, seen } = await collector({ timeout: 2 ** 31 + 5 });
    await flock.publish(reading(1));
    await pass(flock, 2 ** 31 + 4);
    expect(seen).toEqual([]);
    await pass(flock, 1);
    expect(seen).toEqual([[1]]);
  });

  it("survives a restart with its deadline", async () => {
    const path = join(folder, "flock.db");
    const first = await collector({ size: 3, timeout: 100 }, { store: sqliteStore(path) });
    await first.flock.publish([1, 2].map(reading));
    await first.flock.shutdown();
    vi.advanceTimersByTime(50);
    const second = await collector({ size: 3, timeout: 100 }, { store: sqliteStore(path) });
    await second.flock.runUntilIdle();
    await pass(second.flock, 49);
    expect(second.seen).toEqual([]);
    await pass(second.flock, 1);
    expect(second.seen).toEqual([[1, 2]]);
    await second.flock.publish(reading(3));
    await second.flock.shutdown();
    vi.advanceTimersByTime(100);
    const third = await collector({ size: 3, timeout: 100 }, { store: sqliteStore(path) });
    await third.flock.runUntilIdle();
    expect(third.seen).toEqual([[3]]);
  });

  it("whose run was interrupted: is passed to the next process unchanged", async () => {
    const path = join(folder, "flock.db");
    const first = await newFlock({ store: sqliteStore(path) });
    first
      .agent("collector")
      .consumes(Reading)
      .consumes(Reading, { batch: { size: 1 } })
      .run(() => new Promise<void>(() => {}));
    await first.publish(reading(1));
    await first.shutdown();
    const second = await newFlock({ store: sqliteStore(path) });
    const seen: unknown[] = [];
    second
      .agent("collector")
      .consumes(Reading)
      .consumes(Reading, { batch: { size: 1 } })
      .run(({ Reading: given }) => void seen.push(given));
    await second.runUntilIdle();
    expect(seen).toHaveLength(2);
    expect(seen).toEqual(expect.arrayContaining([{ n: 1 }, [{ n: 1 }]]));
  });

  it("that is larger than the current size: is passed as one batch", async () => {
    const path = join(folder, "flock.db");
    const declare = async (size: number, run: (n: readonly number[]) => Promise<void>) => {
      const flock = await newFlock({ store: sqliteStore(path) });
      flock
        .agent("collector")
        .consumes(Reading, { batch: { size } })
        .run(({ Reading: readings }) => run(readings.map(({ n }) => n)));
      return flock;
    };
    const first = await declare(3, () => new Promise<void>(() => {}));
    await first.publish([1, 2, 3, 4, 5].map(reading));
    await first.shutdown();
    const seen: (readonly number[])[] = [];
    const second = await declare(2, async (batch) => void seen.push(batch));
    await second.runUntilIdle();
    expect(seen.sort()).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it("accepts one artifact up to its size from invoke", async () => {
    const { flock, seen } = await collector({ size: 3 });
    await flock.invoke("collector", [1, 2].map(reading));
    await flock.runUntilIdle();
    expect(seen).toEqual([[1, 2]]);
    await expect(flock.invoke("collector", [1, 2, 3, 4].map(reading))).rejects.toThrow(
      /its inputs are Reading \+ Reading.*Pass 1 to 3 × \(Reading\)/,
    );
  });

  it("that could not be written: waits and retries", async () => {
    let isFull = false;
    const store = intercept(sqliteStore(join(folder, "flock.db")), () => {
      if (isFull) throw new Error("the disk is full");
    });
    const { flock, seen } = await collector({ size: 3, timeout: 100 }, { store });
    await flock.publish(reading(1));
    isFull = true;
    for (const ms of [100, 999]) await pass(flock, ms).catch(() => {});
    expect(seen).toEqual([]);
    isFull = false;
    await pass(flock, 1);
    expect(seen).toEqual([[1]]);
    await pass(flock, 10_000);
    expect(seen).toEqual([[1]]);
  });
});

describe("maxWaiting", () => {
  it("drops the oldest artifact, with an event, a counter and a log line", async () => {
    const flock = await newFlock();
    const warn = vi.spyOn(flock.logger, "warn");
    const seen: string[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: orderId, maxWaiting: 2 })
      .run(({ Order: { id } }) => void seen.push(id));
    await flock.publish(["a", "b", "c"].map((id) => order(id)));
    await flock.publish(["c", "b", "a"].map((id) => payment(id)));
    await flock.runUntilIdle();
    expect(seen).toEqual(["c", "b"]);
    expect(progressOf(flock).filter(({ reason }) => reason === "full")).toMatchObject([{ key: "a", dropped: 1 }]);
    expect(waitingOf(flock)).toMatchObject({ artifacts: 1, max: 2, dropped: 1 });
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ agent: "matcher", maxWaiting: 2, dropped: 1 }),
      expect.stringContaining("full"),
    );
  });
});

describe("declaring an agent while others work", () => {
  it("does not change the gates of the others", async () => {
    const flock = await newFlock({ store: sqliteStore(join(folder, "flock.db")) });
    const seen: string[] = [];
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: orderId })
      .run(({ Order: { id } }) => void seen.push(id));
    const published = flock.publish(order("a"));
    flock
      .agent("late")
      .consumes(Order, Payment)
      .run(() => {});
    await published;
    await flock.publish(payment("a"));
    await flock.runUntilIdle();
    expect(seen).toEqual(["a"]);
  });
});

describe("real timers", () => {
  it("wake a batch and drop expired artifacts", async () => {
    vi.useRealTimers();
    const flock = await newFlock();
    const { promise, resolve } = Promise.withResolvers<readonly { n: number }[]>();
    flock
      .agent("collector")
      .consumes(Reading, { batch: { timeout: 2 } })
      .run(({ Reading: readings }) => resolve(readings));
    flock
      .agent("matcher")
      .consumes(Order, Payment, { join: { within: 2 } })
      .run(() => {});
    await flock.publish([reading(1), order("a")]);
    expect(await promise).toEqual([{ n: 1 }]);
    const dropped = expect.objectContaining({ agent_id: "matcher", reason: "expired" });
    await vi.waitFor(() => expect(progressOf(flock)).toContainEqual(dropped));
  });
});

describe("invalid subscription options", () => {
  it("are named", () => {
    const flock = new Flock();
    const wrong: [Parameters<typeof check>[0], RegExp][] = [
      [{ join: {} }, /join: must contain `by`, `within` or both/],
      [{ join: { within: -1 } }, /join\.within: /],
      [{ join: { within: "1 s" } }, /join\.within: must be milliseconds or/],
      [{ join: { within: { artifacts: 1 } } }, /join\.within\.artifacts: must be at least 2/],
      [{ batch: {} }, /batch: must contain `size`, `timeout` or both/],
      [{ batch: { size: 0 } }, /batch\.size/],
      [{ batch: { sise: 3 } }, /sise/],
      [{ maxWaiting: 0 }, /maxWaiting/],
      [{ whereGroup: 3 }, /whereGroup: must be a function/],
    ];
    function check(options: object) {
      flock.agent(`agent ${Math.random()}`).consumes(Order, Payment, options as never);
    }
    for (const [options, message] of wrong) expect(() => check(options)).toThrow(message);
    expect(() => flock.agent("one").consumes(Order, { join: { by: "correlation" } })).toThrow(/cannot be joined/);
    expect(() => flock.agent("few").consumes(Order, Order, Order, { maxWaiting: 1 })).toThrow(/at least 2/);
  });
});

describe("types of alternatives", () => {
  it("distinguish batches, groups and single artifacts", () => {
    new Flock()
      .agent("either")
      .consumes(Order)
      .consumes(Reading, { batch: { size: 2 } })
      .run(({ Order: one, Reading: readings }) => {
        expectTypeOf(one).toEqualTypeOf<{ id: string; euros: number } | undefined>();
        expectTypeOf(readings).toEqualTypeOf<readonly { n: number }[] | undefined>();
      });
    new Flock()
      .agent("groups")
      .consumes(Order, Reading, Reading, { batch: { size: 2 } })
      .run((groups) => {
        expectTypeOf(groups).toExtend<
          readonly { Order: { id: string }; Reading: readonly [{ n: number }, { n: number }] }[]
        >();
      });
  });
});
