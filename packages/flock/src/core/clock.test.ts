import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../index.ts";
import { budget, cache, rateLimit } from "../middleware/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { readEvents } from "../testing/read-events.ts";
import { systemClock } from "./clock.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

describe("a timer of the system clock", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("fires once after any number of days, and not before", () => {
    let fired = 0;
    systemClock.after(100 * DAY_MS, () => (fired += 1));
    vi.advanceTimersByTime(100 * DAY_MS - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
    vi.advanceTimersByTime(200 * DAY_MS);
    expect(fired).toBe(1);
  });

  it("can be cancelled after a part of its time, and never fires after `Infinity`", () => {
    const callback = vi.fn();
    const cancel = systemClock.after(100 * DAY_MS, callback);
    systemClock.after(Number.POSITIVE_INFINITY, callback);
    vi.advanceTimersByTime(60 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

const Job = artifact("Job", z.object({ n: z.number() }));
const Done = artifact("Done", z.object({ n: z.number() }));

describe.for([
  ["back", -HOUR_MS],
  ["forward", HOUR_MS],
] as const)("a wall clock that is set %s by an hour", ([, jump]) => {
  it("changes neither the time limit nor the duration of a run", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("slow")
      .consumes(Job)
      .timeout(10_000)
      .run(async (_, { signal }) => {
        await once(signal, "abort");
      });
    await flock.publish(Job({ n: 1 }));
    await clock.advance(4_000);
    clock.adjust(jump);
    await clock.advance(5_999);
    expect(flock.stats().runs).toMatchObject({ running: 1, timeout: 0 });
    await clock.advance(1);
    await flock.runUntilIdle();
    expect(flock.stats().runs).toMatchObject({ running: 0, timeout: 1 });
    const ends = (await readEvents(flock.log)).filter(({ type }) => type === "agent_execution_completed");
    expect(ends).toMatchObject([{ status: "timeout", duration_ms: 10_000 }]);
  });

  it("changes neither a rate limit nor the age of a cached result", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    let calls = 0;
    flock
      .agent("counting")
      .consumes(Job)
      .publishes(Done)
      .use(rateLimit({ runs: 1, per: 1_000 }), cache({ ttl: 5_000 }))
      .run(({ Job: { n } }) => {
        calls += 1;
        return Done({ n });
      });
    const runs = () => flock.stats().runs.success;
    await flock.publish(Job({ n: 1 }));
    await clock.advance(0);
    clock.adjust(jump);
    await flock.publish(Job({ n: 1 }));
    await clock.advance(999);
    expect(runs()).toBe(1);
    await clock.advance(1);
    expect([runs(), calls]).toEqual([2, 1]);
    await clock.advance(4_000);
    await flock.publish(Job({ n: 1 }));
    await clock.advance(0);
    expect([runs(), calls]).toEqual([3, 2]);
  });

  it("does not change what a budget counts", async () => {
    const clock = fakeClock();
    await using flock = new Flock({ clock });
    flock
      .agent("spending")
      .consumes(Job)
      .use(budget({ tokens: 10, per: "agent", window: 60_000 }))
      .run((_, context) => context.addUsage({ total_tokens: 10 }));
    await flock.publish(Job({ n: 1 }));
    await clock.advance(1_000);
    clock.adjust(jump);
    await flock.publish(Job({ n: 2 }));
    await clock.advance(1_000);
    expect(flock.stats().runs).toMatchObject({ success: 1, error: 1 });
    await clock.advance(70_000);
    await flock.publish(Job({ n: 3 }));
    await clock.advance(0);
    expect(flock.stats().runs).toMatchObject({ success: 2, error: 1 });
  });
});
