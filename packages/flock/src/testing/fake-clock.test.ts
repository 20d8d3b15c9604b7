import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../index.ts";
import { fakeClock } from "./fake-clock.ts";

const Part = artifact("Part", z.object({ order: z.string(), n: z.number() }));
const Bill = artifact("Bill", z.object({ order: z.string() }));
const Sum = artifact("Sum", z.object({ parts: z.number() }));

const parts = (flock: Flock) => flock.store.getByType(Sum).then((sums) => sums.map((sum) => sum.parts));

describe("fake clock", () => {
  it("runs callbacks once each in the order of deadlines, unless cancelled", async () => {
    const timer = fc.record({
      ms: fc.integer({ min: -5, max: 50 }),
      calledOff: fc.boolean(),
      nested: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(timer, { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
        async (timers, steps) => {
          const clock = fakeClock({ now: 1_000 });
          const called: { at: number; id: number; wanted: number }[] = [];
          const expected: { id: number; wanted: number }[] = [];
          let ids = 0;
          const wait = (ms: number, nested?: number) => {
            const id = ids++;
            const wanted = clock.now() + Math.max(0, ms);
            const stop = clock.after(ms, () => {
              called.push({ at: clock.now(), id, wanted });
              if (nested !== undefined) wait(nested);
            });
            return { id, wanted, stop };
          };
          for (const { ms, calledOff, nested } of timers) {
            const { id, wanted, stop } = wait(ms, nested);
            if (calledOff) stop();
            else expected.push({ id, wanted });
          }
          for (const step of steps) await clock.advance(step);
          const end = 1_000 + steps.reduce((sum, step) => sum + step, 0);
          expect(clock.now()).toBe(end);
          // Each at its own time, so that time never goes back and equal deadlines keep their order.
          for (const { at, wanted } of called) expect(at).toBe(wanted);
          const inOrder = [...called].sort((a, b) => a.wanted - b.wanted || a.id - b.id);
          expect(called).toEqual(inOrder);
          expect(new Set(called.map(({ id }) => id)).size).toBe(called.length);
          const first = called.filter(({ id }) => id < timers.length).map(({ id }) => id);
          const due = steps.length === 0 ? [] : expected.filter(({ wanted }) => wanted <= end).map(({ id }) => id);
          expect(first.sort()).toEqual(due.sort());
          for (const at of clock.pending) expect(at).toBeGreaterThan(steps.length === 0 ? 0 : end);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("never runs a callback with Infinity", async () => {
    const clock = fakeClock();
    clock.after(Number.POSITIVE_INFINITY, () => expect.unreachable());
    expect(clock.pending).toEqual([]);
    await clock.advance(1e15);
  });

  it("adds up advances that are not awaited", async () => {
    const clock = fakeClock({ now: 0 });
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.now()).toBe(15);
  });

  it("rejects a time in the past", async () => {
    const clock = fakeClock({ now: new Date("2026-03-01") });
    await expect(clock.advance(-1)).rejects.toMatchObject({ code: "invalid_options" });
    await expect(clock.advanceTo(new Date("2026-02-01"))).rejects.toThrow(/a time that is not in the past/);
    await expect(clock.advance(Number.NaN)).rejects.toMatchObject({ code: "invalid_options" });
    await clock.advanceTo(new Date("2026-03-02"));
    expect(clock.now()).toBe(Date.parse("2026-03-02"));
  });
});

describe("flock with a fake clock", () => {
  it("stamps events with its time", async () => {
    const clock = fakeClock({ now: new Date("2031-05-05T05:05:05Z") });
    await using flock = new Flock({ clock });
    const { artifact: bill } = await flock.publish(Bill({ order: "a" }));
    expect(bill.createdAt).toContain("2031-05-05T05:05:05.000");
  });

  it("drops artifacts whose window has passed", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("cashier")
      .consumes(Part, Bill, { join: { by: ({ payload }) => payload.order, within: 60_000 } })
      .publishes(Sum)
      .run(() => Sum({ parts: 1 }));
    await flock.publish(Part({ order: "late", n: 1 }));
    await flock.publish(Part({ order: "late", n: 2 }));
    await clock.advance(59_999);
    await flock.publish(Part({ order: "in time", n: 3 }));
    await clock.advance(1);
    await flock.publish(Bill({ order: "late" }));
    await flock.publish(Bill({ order: "in time" }));
    await flock.runUntilIdle();
    expect(await parts(flock)).toEqual([1]);
  });

  it("runs an incomplete batch at its timeout and settles what follows", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("collector")
      .consumes(Part, { batch: { size: 10, timeout: 5_000 } })
      .publishes(Bill)
      .run(async (batch) => Bill({ order: `${batch.Part.length}` }));
    flock
      .agent("accountant")
      .consumes(Bill, { batch: { size: 10, timeout: 2_000 } })
      .publishes(Sum)
      .run((batch) => Sum({ parts: Number(batch.Bill[0]?.order) }));
    for (const n of [1, 2, 3]) await flock.publish(Part({ order: "x", n }));
    await clock.advance(6_999);
    expect(await parts(flock)).toEqual([]);
    await clock.advance(1);
    expect(await parts(flock)).toEqual([3]);
  });

  it("stops a run that times out and measures its duration", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("sloth")
      .consumes(Part)
      .timeout(30_000)
      .run(() => new Promise(() => {}));
    const { done } = await flock.invoke("sloth", [Part({ order: "x", n: 1 })]);
    await clock.advance(30_000);
    expect(await done).toMatchObject({ status: "timeout", durationMs: 30_000 });
  });

  it("settles a chain of a hundred agents before the next timer", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    const Link = artifact("Link", z.object({ n: z.number() }));
    for (const [name, rest] of [
      ["smith", 1],
      ["hammer", 0],
    ] as const) {
      flock
        .agent(name)
        .consumes(Link, { where: ({ payload: { n } }) => n < 100 && n % 2 === rest })
        .publishes(Link)
        .run(async ({ Link: { n } }) => Link({ n: n + 1 }));
    }
    clock.after(10, () => void flock.publish(Link({ n: 1 })));
    let seen = 0;
    clock.after(11, () => void flock.store.getByType(Link).then((links) => (seen = links.length)));
    await clock.advance(11);
    expect(seen).toBe(100);
  });
});
