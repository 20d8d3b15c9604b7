import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import type { DraftOf } from "../../blackboard/artifact-type.ts";
import { artifact, Flock, memoryStore } from "../../index.ts";
import { intercept } from "../../store/contract.ts";
import { sqliteStore } from "../../store/sqlite/store.ts";
import type { Store, Write } from "../../store/store.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import type { RunEnd } from "./run-end.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Plan = artifact("Plan", z.object({ text: z.string() }));

type Output = DraftOf<typeof Plan> | Promise<DraftOf<typeof Plan>>;

let folder = "";
let clock: FakeClock;
const open: Flock[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-outcomes-"));
  clock = fakeClock();
});

afterEach(async () => {
  for (const flock of open.splice(0)) await flock.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

const STORES = [
  ["memory", () => memoryStore()],
  ["SQLite", () => sqliteStore(join(folder, "flock.db"))],
] as const satisfies [string, () => Store][];

/** Lets commits with some writes fail, as long as `error` is set. */
function failing(store: Store, fails: (writes: readonly Write[]) => boolean) {
  const failures = {
    error: undefined as Error | undefined,
    count: 0,
    store: intercept(store, (writes) => {
      if (!failures.error || !fails(writes)) return;
      failures.count += 1;
      throw failures.error;
    }),
  };
  return failures;
}

const hasEnd = (writes: readonly Write[]) =>
  writes.some((write) => write.kind === "event" && write.event.type === "agent_execution_completed");

async function flockOn(store: Store): Promise<Flock> {
  const flock = await Flock.open({ store, clock });
  flock.register(Idea, Plan);
  open.push(flock);
  return flock;
}

function planner(flock: Flock, run: () => Output = () => Plan({ text: "plan" })): Flock {
  flock.agent("planner").consumes(Idea).publishes(Plan).run(run);
  return flock;
}

/** What has come of a promise so far. */
function watch(done: Promise<RunEnd>) {
  const seen: { end?: RunEnd } = {};
  void done.then((end) => {
    seen.end = end;
  });
  return seen;
}

describe.each(STORES)("a run whose end cannot be written to %s", (_, openStore) => {
  const diskFull = new Error("the disk is full");

  it("succeeds once, when its end is on the blackboard", async () => {
    const failures = failing(openStore(), hasEnd);
    const flock = planner(await flockOn(failures.store));
    const critics: string[] = [];
    flock
      .agent("critic")
      .consumes(Plan)
      .run(({ Plan: { text } }) => void critics.push(text));
    const error = vi.spyOn(flock.logger, "error");
    failures.error = diskFull;
    const { done, runId, correlationId } = await flock.invoke("planner", [Idea({ text: "a" })]);
    const seen = watch(done);
    await clock.advance(2_000);
    expect(failures.count).toBeGreaterThan(3);
    expect(failures.count).toBeLessThan(12);
    expect(seen.end).toBeUndefined();
    expect(flock.stats().runs).toMatchObject({ success: 0, running: 1 });
    expect(await flock.store.getByType(Plan)).toEqual([]);
    expect((await flock.historyOf("planner"))?.produced).toEqual({});
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "active", run_count: 1, artifact_count: 1 });
    expect(error).toHaveBeenCalledOnce();
    failures.error = undefined;
    await clock.advance(5_000);
    const end = await done;
    expect(end).toMatchObject({ runId, status: "success" });
    await flock.runUntilIdle();
    expect(await flock.store.get(end.produced[0] as string)).toMatchObject({ payload: { text: "plan" } });
    expect((await flock.store.query({ types: ["Plan"] })).total).toBe(1);
    expect(critics).toEqual(["plan"]);
    expect(flock.stats().runs).toMatchObject({ success: 2, running: 0, queued: 0 });
    expect((await flock.historyOf("planner"))?.produced).toEqual({ Plan: 1 });
    expect(await flock.correlation(correlationId)).toMatchObject({
      state: "completed",
      run_count: 2,
      artifact_count: 2,
      error_count: 0,
    });
  });

  it("is retried as .retry says, once its failure is written", async () => {
    const failures = failing(openStore(), hasEnd);
    const flock = await flockOn(failures.store);
    let attempts = 0;
    flock
      .agent("planner")
      .consumes(Idea)
      .publishes(Plan)
      .retry({ attempts: 2, delay: 10 })
      .run(() => {
        if (++attempts === 1) throw new Error("burnt");
        return Plan({ text: "plan" });
      });
    failures.error = diskFull;
    const { done } = await flock.invoke("planner", [Idea({ text: "a" })]);
    await clock.advance(1_000);
    expect(attempts).toBe(1);
    expect(flock.stats().runs).toMatchObject({ error: 0 });
    failures.error = undefined;
    await clock.advance(5_100);
    expect(await done).toMatchObject({ status: "success" });
    expect(attempts).toBe(2);
    expect(flock.stats().runs).toMatchObject({ error: 1, success: 1 });
  });

  it("is cancelled without its artifacts", async () => {
    const failures = failing(openStore(), hasEnd);
    const flock = planner(await flockOn(failures.store));
    failures.error = diskFull;
    const { done, runId } = await flock.invoke("planner", [Idea({ text: "a" })]);
    await clock.advance(1_000);
    failures.error = undefined;
    expect(await flock.cancel({ runId })).toMatchObject({ cancelled: 1 });
    expect(await done).toMatchObject({ runId, status: "cancelled", produced: [] });
    expect(await flock.store.getByType(Plan)).toEqual([]);
    expect(flock.stats().runs).toMatchObject({ success: 0, cancelled: 1, running: 0 });
  });

  it("fails and becomes a dead letter when the store can never take it", async () => {
    const failures = failing(openStore(), (writes) =>
      writes.some((write) => write.kind === "event" && write.artifact?.type === "Plan"),
    );
    const flock = planner(await flockOn(failures.store));
    failures.error = new TypeError("unwritable");
    const { done } = await flock.invoke("planner", [Idea({ text: "a" })]);
    await clock.advance(5_000);
    expect(await done).toMatchObject({ status: "error", produced: [], error: { message: "unwritable" } });
    expect(failures.count).toBe(3);
    expect(await flock.deadLetters()).toMatchObject([{ agentId: "planner", status: "error" }]);
    expect(flock.stats().runs).toMatchObject({ success: 0, error: 1 });
  });

  it("is reported as interrupted at shutdown, never as success", async () => {
    const failures = failing(openStore(), hasEnd);
    const flock = planner(await flockOn(failures.store));
    failures.error = diskFull;
    const { done } = await flock.invoke("planner", [Idea({ text: "a" })]);
    await clock.advance(1_000);
    await flock.shutdown();
    expect(await done).toMatchObject({ status: "interrupted", produced: [] });
  });

  it("tells of its start with its end when neither could be written", async () => {
    const failures = failing(openStore(), (writes) => writes.some(({ kind }) => kind === "consumption"));
    const flock = planner(await flockOn(failures.store));
    failures.error = diskFull;
    const { done, runId } = await flock.invoke("planner", [Idea({ text: "a" })]);
    await clock.advance(1_000);
    failures.error = undefined;
    await clock.advance(5_000);
    const { produced } = await done;
    const plan = await flock.store.get(produced[0] as string);
    expect(plan?.runId).toBe(runId);
    const [idea] = (await flock.store.query({ types: ["Idea"] })).artifacts;
    expect((await flock.store.consumptionsOf([idea?.id as string])).get(idea?.id as string)).toMatchObject([{ runId }]);
    expect(flock.agents()[0]?.counters).toMatchObject({ started: 1, consumed: 1 });
  });

  it("does not keep a pause that could not be written", async () => {
    const failures = failing(openStore(), () => true);
    const flock = planner(await flockOn(failures.store));
    await flock.runUntilIdle();
    failures.error = diskFull;
    await expect(flock.pause("planner")).rejects.toThrow("the disk is full");
    expect(flock.agents()[0]?.paused).toBe(false);
    failures.error = undefined;
    expect((await flock.pause("planner")).agents).toEqual(["planner"]);
  });
});

describe("a run that is left unfinished at shutdown because its end could not be written", () => {
  it("is run again by the next process, even when the first commits of that fail", async () => {
    const first = sqliteStore(join(folder, "flock.db"));
    const failures = failing(first, hasEnd);
    failures.error = new Error("the disk is full");
    const before = planner(await flockOn(failures.store));
    await before.publish(Idea({ text: "a" }));
    await clock.advance(500);
    await before.shutdown();
    const second = sqliteStore(join(folder, "flock.db"));
    const later = failing(second, hasEnd);
    later.error = new Error("the disk is full");
    const flock = planner(await flockOn(later.store));
    const idle = flock.runUntilIdle();
    await clock.advance(1_000);
    expect(await flock.store.getByType(Plan)).toEqual([]);
    later.error = undefined;
    await clock.advance(5_000);
    await idle;
    expect(await flock.store.getByType(Plan)).toEqual([{ text: "plan" }]);
  });
});

const LOCK_FOR_6_S = `
  const { DatabaseSync } = require("node:sqlite");
  const { parentPort, workerData } = require("node:worker_threads");
  parentPort.once("message", () => {
    const db = new DatabaseSync(workerData);
    db.exec("BEGIN IMMEDIATE");
    parentPort.postMessage("locked");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
    db.exec("ROLLBACK");
    db.close();
  });
`;

describe("a lock that another program holds for 6 s", () => {
  it("delays the end of a run and loses nothing", { timeout: 30_000 }, async () => {
    const path = join(folder, "flock.db");
    const flock = await Flock.open({ store: sqliteStore(path) });
    open.push(flock);
    const worker = new Worker(LOCK_FOR_6_S, { eval: true, workerData: path });
    planner(flock, async () => {
      worker.postMessage("lock");
      await once(worker, "message");
      return Plan({ text: "plan" });
    });
    const { done } = await flock.invoke("planner", [Idea({ text: "a" })]);
    const end = await done;
    expect(flock.stats().failedCommits).toBe(0);
    expect(end.status).toBe("success");
    expect(await flock.store.get(end.produced[0] as string)).toMatchObject({ payload: { text: "plan" } });
    await worker.terminate();
  });
});
