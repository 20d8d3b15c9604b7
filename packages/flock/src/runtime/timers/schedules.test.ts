import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  artifact,
  type Clock,
  type CronOptions,
  type EveryOptions,
  Flock,
  type PayloadOf,
  type ScheduleTick,
  type Store,
  type StoredArtifact,
} from "../../index.ts";
import { intercept } from "../../store/contract.ts";
import { sqliteStore } from "../../store/sqlite/store.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
const Digest = artifact("Digest", z.object({ of: z.string() }));

/** A clock of a machine that can sleep: its timers stop while the time continues. */
class SleepyClock implements Clock {
  readonly #awake: FakeClock;
  #slept = 0;

  constructor(now: number) {
    this.#awake = fakeClock({ now });
  }

  now(): number {
    return this.#awake.now() + this.#slept;
  }

  after(ms: number, callback: () => void): () => void {
    return this.#awake.after(ms, callback);
  }

  advance(ms: number): Promise<void> {
    return this.#awake.advance(ms);
  }

  sleep(ms: number): void {
    this.#slept += ms;
  }
}

let clock: SleepyClock;
let flocks: Flock[];
let folder: string;

beforeEach(() => {
  clock = new SleepyClock(START);
  flocks = [];
  folder = mkdtempSync(join(tmpdir(), "flock-schedules-"));
});

afterEach(async () => {
  for (const flock of flocks) await flock.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

async function newFlock(store?: Store): Promise<Flock> {
  const flock = await Flock.open({ clock, logger: pino({ level: "silent" }), ...(store ? { store } : {}) });
  flocks.push(flock);
  return flock;
}

/** Creates a flock with an agent that is triggered each minute and records it. */
async function everyMinute(options: EveryOptions = {}, store?: Store): Promise<Flock> {
  const flock = await newFlock(store);
  flock
    .agent("digest")
    .every(MINUTE, options)
    .publishes(Digest)
    .run(({ ScheduleTick: tick }) => Digest({ of: tick.scheduled_for }));
  await settled(flock);
  return flock;
}

/** Waits for everything that the clock has triggered. */
async function settled(flock: Flock): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await flock.runUntilIdle();
    await setImmediate();
    await clock.advance(0);
  }
  await flock.runUntilIdle();
}

/** Advances the time in steps. */
async function pass(flock: Flock, ms: number, step = MINUTE / 2): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await clock.advance(Math.min(step, left));
    await settled(flock);
  }
}

async function ticksOf(flock: Flock): Promise<(PayloadOf<typeof ScheduleTick> & { artifact: StoredArtifact })[]> {
  const { artifacts } = await flock.store.query({ types: ["ScheduleTick"], limit: 10_000 });
  return [...artifacts].reverse().map((one) => ({ ...(one.payload as PayloadOf<typeof ScheduleTick>), artifact: one }));
}

const timesOf = async (flock: Flock) => (await ticksOf(flock)).map((tick) => tick.scheduled_for);
const scheduleOf = (flock: Flock) => flock.agents()[0]?.subscriptions[0]?.schedule;
const at = (ms: number) => new Date(ms).toISOString();

describe("every", () => {
  it("triggers with the scheduled time, the count and a new workflow", async () => {
    const flock = await everyMinute();
    await pass(flock, 3 * MINUTE);
    const ticks = await ticksOf(flock);
    expect(ticks).toMatchObject([
      { agent: "digest", scheduled_for: at(START + MINUTE), count: 1, missed: 0 },
      { scheduled_for: at(START + 2 * MINUTE), count: 2, missed: 0 },
      { scheduled_for: at(START + 3 * MINUTE), count: 3, missed: 0 },
    ]);
    expect(new Set(ticks.map(({ artifact: { correlationId } }) => correlationId)).size).toBe(3);
    const digests = await flock.store.query({ types: ["Digest"] });
    expect(digests.artifacts.map(({ payload }) => payload)).toEqual(
      ticks.map(({ scheduled_for }) => ({ of: scheduled_for })).reverse(),
    );
    const consumed = await flock.store.consumptionsOf([ticks[0]?.artifact.id as string]);
    expect([...consumed.values()][0]).toMatchObject([{ agentId: "digest" }]);
  });

  it("keeps a fixed grid with late timers", async () => {
    const flock = await everyMinute();
    for (let n = 0; n < 20; n++) {
      clock.sleep(700);
      await pass(flock, MINUTE);
    }
    const times = await timesOf(flock);
    expect(times.length).toBeGreaterThan(15);
    for (const time of times) expect((Date.parse(time) - START) % MINUTE).toBe(0);
  });

  it("waits for the initial delay, which may be 0", async () => {
    const flock = await everyMinute({ initialDelay: 10_000 });
    await pass(flock, 2 * MINUTE, 10_000);
    expect(await timesOf(flock)).toEqual([at(START + 10_000), at(START + 70_000)]);
    clock = new SleepyClock(START);
    expect(await timesOf(await everyMinute({ initialDelay: 0 }))).toEqual([at(START)]);
  });

  it("ends after maxTicks", async () => {
    const flock = await everyMinute({ maxTicks: 2 });
    await pass(flock, 5 * MINUTE);
    expect(await timesOf(flock)).toHaveLength(2);
    expect(scheduleOf(flock)).toEqual({ every_ms: MINUTE, ticks: 2 });
  });

  it("does not trigger other agents", async () => {
    const flock = await newFlock();
    const runs: string[] = [];
    for (const [name, ms] of [
      ["a", MINUTE],
      ["b", 3 * MINUTE],
    ] as const) {
      flock
        .agent(name)
        .every(ms)
        .run(({ ScheduleTick: tick }) => {
          runs.push(`${name}${tick.count}`);
        });
    }
    await settled(flock);
    await pass(flock, 3 * MINUTE);
    expect(runs.sort()).toEqual(["a1", "a2", "a3", "b1"]);
  });

  it("works as an alternative to consumes, and the function can tell them apart", async () => {
    const flock = await newFlock();
    const woken: unknown[] = [];
    flock
      .agent("both")
      .every(MINUTE)
      .consumes(Digest)
      .run((inputs) => {
        expectTypeOf(inputs.Digest).toEqualTypeOf<PayloadOf<typeof Digest> | undefined>();
        expectTypeOf(inputs.ScheduleTick).toEqualTypeOf<PayloadOf<typeof ScheduleTick> | undefined>();
        woken.push(inputs.Digest?.of ?? inputs.ScheduleTick?.count);
      });
    await flock.publish(Digest({ of: "x" }));
    await settled(flock);
    await pass(flock, MINUTE);
    expect(woken).toEqual(["x", 1]);
  });

  it("of a tenant's agent: ticks are visible only to the tenant", async () => {
    const flock = await newFlock();
    flock
      .agent("digest")
      .tenant("acme")
      .every(MINUTE)
      .run(() => {});
    await settled(flock);
    await pass(flock, MINUTE);
    const [tick] = await ticksOf(flock);
    expect(tick?.artifact.visibility).toEqual({ kind: "tenant", tenant_id: "acme" });
    expect(flock.stats().runs.success).toBe(1);
  });
});

describe("cron", () => {
  async function timesIn(expression: string, options: CronOptions, from: string, until: string): Promise<string[]> {
    clock = new SleepyClock(Date.parse(from));
    const flock = await newFlock();
    flock
      .agent("digest")
      .cron(expression, options)
      .run(() => {});
    await settled(flock);
    await pass(flock, Date.parse(until) - Date.parse(from), HOUR / 2);
    return timesOf(flock);
  }
  const timezone = "Europe/Berlin";

  it("triggers at nine in Berlin, in winter and in summer", async () => {
    expect(await timesIn("0 9 * * *", { timezone }, "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z")).toEqual([
      "2026-03-28T08:00:00.000Z",
      "2026-03-29T07:00:00.000Z",
      "2026-03-30T07:00:00.000Z",
    ]);
  });

  it("triggers once, as soon as possible, when the clocks skip its time", async () => {
    expect(await timesIn("30 2 * * *", { timezone }, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z")).toEqual([
      "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ]);
  });

  it("triggers once, the first time, when the clocks repeat its time", async () => {
    expect(await timesIn("30 2 * * *", { timezone }, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  it("triggers each hour of a night with an extra hour", async () => {
    const times = await timesIn("0 * * * *", { timezone }, "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z");
    expect(times.map((time) => time.slice(11, 16))).toEqual(["00:00", "01:00", "02:00", "03:00"]);
  });

  it.each([
    ["0 9 * *", {}, /cron expression `0 9 \* \*` of agent.*five/],
    ["61 * * * *", {}, /Invalid value for minute: 61/],
    ["every day", {}, /Use minute, hour/],
    ["0 0 30 2 *", {}, /it never matches/],
    ["2026-01-01T00:00:00", {}, /not a cron expression/],
    ["0 9 * * *", { timezone: "Mars/Olympus" }, /unknown time zone `Mars\/Olympus`/],
    ["0 9 * * *", { overlap: "both" }, /overlap/],
    ["0 9 * * *", { initialDelay: 1 }, /initialDelay/],
  ])("explains what is wrong with %j %j", async (expression, options, message) => {
    const flock = await newFlock();
    expect(() => flock.agent("digest").cron(expression, options as CronOptions)).toThrow(message);
  });

  it("explains an invalid interval and a duplicate schedule", async () => {
    for (const ms of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const flock = await newFlock();
      expect(() => flock.agent("digest").every(ms)).toThrow(/`every` of agent `digest`/);
    }
    const flock = await newFlock();
    expect(() => flock.agent("digest").every(5).every(5)).toThrow(/`every 5` is declared twice/);
  });
});

describe("a time during a run of the schedule", () => {
  async function slow(options: EveryOptions) {
    const flock = await newFlock();
    const ends: (() => void)[] = [];
    flock
      .agent("slow")
      .concurrency(1)
      .every(MINUTE, options)
      .run(() => new Promise<void>((resolve) => void ends.push(resolve)));
    await flock.runUntilIdle();
    const step = async () => {
      for (let turn = 0; turn < 4; turn++) {
        await setImmediate();
        await clock.advance(0);
      }
    };
    await step();
    const wait = async (ms: number) => {
      for (let left = ms; left > 0; left -= MINUTE / 2) {
        await clock.advance(MINUTE / 2);
        await step();
      }
    };
    return { flock, ends, wait, step };
  }

  it("is skipped, and the next tick counts it", async () => {
    const { flock, ends, wait, step } = await slow({});
    await wait(4 * MINUTE);
    expect(await timesOf(flock)).toHaveLength(1);
    ends.shift()?.();
    await step();
    await wait(MINUTE);
    expect(await ticksOf(flock)).toMatchObject([
      { count: 1, missed: 0 },
      { count: 2, missed: 3, scheduled_for: at(START + 5 * MINUTE) },
    ]);
    ends.shift()?.();
    await flock.runUntilIdle();
  });

  it("is skipped while a retry is pending, also one of an earlier process", async () => {
    const path = join(folder, "retries.db");
    const failing = async () => {
      const flock = await newFlock(sqliteStore(path));
      flock
        .agent("slow")
        .every(MINUTE)
        .retry({ attempts: 3, delay: 10 * MINUTE, maxDelay: 10 * MINUTE, jitter: 0 })
        .run(() => {
          throw new Error("not now");
        });
      void flock.runUntilIdle();
      return flock;
    };
    const step = async (ms: number) => {
      for (let left = ms; left > 0; left -= MINUTE / 2) {
        await clock.advance(MINUTE / 2);
        for (let turn = 0; turn < 4; turn++) await setImmediate();
      }
    };
    const first = await failing();
    for (let turn = 0; turn < 4; turn++) await setImmediate();
    await step(3 * MINUTE);
    expect(first.stats().runs).toMatchObject({ started: 1, queued: 1 });
    await first.shutdown();
    const second = await failing();
    for (let turn = 0; turn < 4; turn++) await setImmediate();
    await step(3 * MINUTE);
    expect(second.stats().runs).toMatchObject({ started: 0, queued: 1 });
    expect(await ticksOf(second)).toHaveLength(1);
  });

  it('is queued with `overlap: "queue"`', async () => {
    const { flock, ends, wait, step } = await slow({ overlap: "queue" });
    await wait(3 * MINUTE);
    expect((await ticksOf(flock)).map(({ count, missed }) => [count, missed])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    expect(flock.stats().runs).toMatchObject({ running: 1, queued: 2 });
    while (flock.stats().runs.success < 3) {
      ends.shift()?.();
      await step();
    }
  });
});

describe("times that passed during sleep", () => {
  it("are replaced with one tick", async () => {
    const flock = await everyMinute();
    await pass(flock, MINUTE);
    clock.sleep(10 * HOUR);
    await pass(flock, MINUTE / 2);
    expect(await ticksOf(flock)).toMatchObject([{ count: 1 }, { count: 2, missed: 599 }]);
  });

  it('are dropped with `missed: "skip"`', async () => {
    const flock = await newFlock();
    flock
      .agent("digest")
      .every(HOUR, { missed: "skip" })
      .run(() => {});
    await settled(flock);
    await pass(flock, HOUR);
    clock.sleep(10 * HOUR + 90_000);
    await pass(flock, MINUTE / 2);
    expect(await timesOf(flock)).toEqual([at(START + HOUR)]);
    await pass(flock, HOUR);
    expect(await ticksOf(flock)).toMatchObject([{}, { scheduled_for: at(START + 12 * HOUR), missed: 10 }]);
  });

  it("are counted up to a thousand for a cron expression, and the latest is still found", async () => {
    const flock = await newFlock();
    flock
      .agent("digest")
      .cron("*/10 * * * * *", { timezone: "UTC" })
      .run(() => {});
    await settled(flock);
    clock.sleep(48 * HOUR);
    await pass(flock, 10_000, 10_000);
    expect(await ticksOf(flock)).toMatchObject([{ scheduled_for: at(START + 48 * HOUR + 10_000), missed: 999 }]);
  });
});

describe("the end of schedules", () => {
  it("does not delay runUntilIdle", async () => {
    const flock = await everyMinute();
    await flock.runUntilIdle();
    expect(await timesOf(flock)).toEqual([]);
    expect(scheduleOf(flock)).toEqual({ every_ms: MINUTE, ticks: 0, next_at: at(START + MINUTE) });
  });

  it("comes with shutdown", async () => {
    const flock = await everyMinute();
    await pass(flock, MINUTE);
    await flock.shutdown();
    await clock.advance(10 * MINUTE);
    await setImmediate();
    expect(await timesOf(flock)).toHaveLength(1);
    expect(scheduleOf(flock)).toEqual({ every_ms: MINUTE, ticks: 1 });
  });
});

describe("a tick that could not be written", () => {
  it("is retried and emitted once", async () => {
    let refused = 0;
    let isFull = false;
    const store = intercept(sqliteStore(join(folder, "full.db")), () => {
      if (isFull && refused++ < 3) throw new Error("the disk is full");
    });
    const flock = await everyMinute({}, store);
    isFull = true;
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000);
      for (let turn = 0; turn < 3; turn++) await setImmediate();
    }
    expect(refused).toBeGreaterThan(3);
    expect(await ticksOf(flock)).toMatchObject([
      { scheduled_for: at(START + MINUTE), count: 1, missed: 0 },
      { scheduled_for: at(START + 2 * MINUTE), count: 2, missed: 0 },
    ]);
  });
});

describe("schedule on a persistent store", () => {
  const path = () => join(folder, "flock.db");

  it("continues its grid and count, with one tick for missed times", async () => {
    const first = await everyMinute({ maxTicks: 4 }, sqliteStore(path()));
    await pass(first, 2 * MINUTE);
    await first.shutdown();
    await clock.advance(5 * MINUTE + 10_000);
    const second = await everyMinute({ maxTicks: 4 }, sqliteStore(path()));
    await pass(second, 5 * MINUTE, 10_000);
    expect((await ticksOf(second)).map(({ scheduled_for, count, missed }) => [scheduled_for, count, missed])).toEqual([
      [at(START + MINUTE), 1, 0],
      [at(START + 2 * MINUTE), 2, 0],
      [at(START + 7 * MINUTE), 3, 4],
      [at(START + 8 * MINUTE), 4, 0],
    ]);
  });

  it("continues when no process lived as long as the interval", async () => {
    for (let start = 0; start < 5; start++) {
      const flock = await everyMinute({}, sqliteStore(path()));
      await pass(flock, 25_000, 25_000);
      await flock.shutdown();
    }
    expect(await timesOf(await everyMinute({}, sqliteStore(path())))).toEqual([
      at(START + MINUTE),
      at(START + 2 * MINUTE),
    ]);
  });

  it("skips a time while an interrupted run of an earlier process resumes", async () => {
    const first = await newFlock(sqliteStore(path()));
    const never = () => new Promise<void>(() => {});
    first.agent("slow").every(MINUTE).run(never);
    await first.runUntilIdle();
    await setImmediate();
    await clock.advance(MINUTE);
    while (first.stats().runs.running === 0) await setImmediate();
    await first.shutdown();
    await clock.advance(3 * MINUTE);
    const second = await newFlock(sqliteStore(path()));
    second.agent("slow").every(MINUTE).run(never);
    void second.runUntilIdle();
    while (second.stats().runs.running === 0) await setImmediate();
    for (let turn = 0; turn < 5; turn++) {
      await setImmediate();
      await clock.advance(0);
    }
    expect(await ticksOf(second)).toMatchObject([{ count: 1 }]);
  });

  it("emits no time twice and counts each missed one, wherever processes end", async () => {
    let files = 0;
    const life = fc.record({
      up: fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 6 }),
      // Stops after a number of event-loop turns, often in the middle of a tick.
      abruptly: fc.option(fc.nat(40), { nil: undefined }),
      down: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300_000 })),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("once" as const, "skip" as const),
        fc.array(life, { minLength: 1, maxLength: 6 }),
        async (missed, lives) => {
          clock = new SleepyClock(START);
          const file = join(folder, `${++files}.db`);
          const born = async () => everyMinute({ missed }, sqliteStore(file));
          for (const { up, abruptly, down } of lives) {
            const flock = await born();
            for (const ms of up) {
              await clock.advance(ms);
              await settled(flock);
            }
            if (abruptly !== undefined) {
              void clock.advance(MINUTE);
              for (let turn = 0; turn < abruptly; turn++) await setImmediate();
            }
            await flock.shutdown();
            await clock.advance(down);
          }
          const last = await born();
          const ticks = await ticksOf(last);
          let dealtWith = 0;
          for (const [n, { scheduled_for, count, missed: passed, artifact: one }] of ticks.entries()) {
            expect(count).toBe(n + 1);
            dealtWith += passed + 1;
            // Every time of the grid until this tick is this tick, an earlier one, or counted by one of them.
            expect(Date.parse(scheduled_for)).toBe(START + dealtWith * MINUTE);
            if (missed === "skip")
              expect(Date.parse(one.createdAt) - Date.parse(scheduled_for)).toBeLessThanOrEqual(MINUTE);
          }
          const come = Math.floor((clock.now() - START) / MINUTE);
          // No minute is more than a minute late, so what is due at the end is emitted in both cases.
          expect(dealtWith).toBe(come);
          expect(await last.store.getByType(Digest)).toHaveLength(ticks.length);
          await last.shutdown();
        },
      ),
      { numRuns: 25 },
    );
  });
});
