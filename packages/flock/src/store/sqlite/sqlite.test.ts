import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { sqliteStore } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "flock-sqlite-"));
const path = join(folder, "deep", "flock.db");
const open: Flock[] = [];

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Plan = artifact("Plan", z.object({ text: z.string() }));
const Check = artifact("Check", z.object({ ok: z.boolean() }));

function flockOnFile(options: Parameters<typeof sqliteStore>[1] = {}): Flock {
  const flock = new Flock({ store: sqliteStore(path, options) });
  flock.register(Idea, Plan, Check);
  open.push(flock);
  return flock;
}

function eventsOf(flock: Flock) {
  const events: { type: string; seq: number; [key: string]: unknown }[] = [];
  for (let at = flock.log.oldest - 1; at < flock.log.head; ) {
    const batch = flock.log.read(at, flock.log.head, undefined, 65_536);
    if (batch instanceof Promise) throw new Error("a file is read at once");
    at = batch.seq;
    for (const text of textsOf(batch.frames)) events.push(JSON.parse(text));
  }
  return events;
}

afterEach(async () => {
  for (const flock of open.splice(0)) await flock.shutdown();
  rmSync(join(folder, "deep"), { recursive: true, force: true });
});

describe("a blackboard in a file", () => {
  it("is there again, with its log, its epoch and its counters, when it is opened again", async () => {
    const first = flockOnFile();
    first
      .agent("planner")
      .consumes(Idea)
      .publishes(Plan)
      .run(({ Idea: idea }) => Plan({ text: idea.text }));
    const { artifactId } = await first.publish(Idea({ text: "truffle" }), { tags: ["new"] });
    await first.runUntilIdle();
    const events = eventsOf(first);
    const { epoch } = first.log;
    const counters = first.agents()[0]?.counters;
    await first.shutdown();

    const second = flockOnFile();
    expect(second.log.epoch).toBe(epoch);
    expect(eventsOf(second)).toEqual(events);
    expect(await second.store.get(artifactId)).toMatchObject({ payload: { text: "truffle" }, tags: ["new"] });
    expect(await second.store.getByType(Plan)).toEqual([{ text: "truffle" }]);
    second
      .agent("planner")
      .consumes(Idea)
      .publishes(Plan)
      .run(() => []);
    await second.runUntilIdle();
    expect(second.agents()[0]?.counters).toEqual(counters);
    expect((await second.historyOf("planner"))?.produced).toEqual({ Plan: 1 });
  });

  it("takes up runs that were interrupted, and those that were queued, under the same activation", async () => {
    const first = flockOnFile();
    const begun = Promise.withResolvers<void>();
    first
      .agent("planner")
      .consumes(Idea)
      .publishes(Plan)
      .concurrency(1)
      .run(() => {
        begun.resolve();
        return new Promise(() => {});
      });
    await first.publish([Idea({ text: "a" }), Idea({ text: "b" })]);
    await begun.promise;
    await first.shutdown();

    const second = flockOnFile();
    const attempts: [string, number][] = [];
    second
      .agent("planner")
      .consumes(Idea)
      .publishes(Plan)
      .concurrency(1)
      .run(({ Idea: { text } }, { attempt }) => {
        attempts.push([text, attempt]);
        return Plan({ text });
      });
    await second.runUntilIdle();
    expect(attempts).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    const runs = eventsOf(second).filter(({ type }) => type === "agent_execution_started");
    expect(runs).toHaveLength(3);
    expect(runs[1]).toMatchObject({ activation_id: runs[0]?.run_id, attempt: 2 });
    expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(3);
  });

  it("goes on with a file of the first version: with its runs, and with what its gates had gathered", async () => {
    const declare = (flock: Flock, seen: string[]) => {
      flock
        .agent("editor")
        .consumes(Plan)
        .consumes(Idea, Check)
        .run(async ({ Idea: idea, Plan: plan }, { signal }) => {
          if (seen.length === 0) await new Promise((_, reject) => signal.addEventListener("abort", reject));
          seen.push((idea ?? plan).text);
        });
    };
    const first = flockOnFile();
    declare(first, []);
    await first.publish([Plan({ text: "interrupted" }), Idea({ text: "waits" })]);
    await first.shutdown();
    const db = new DatabaseSync(path);
    db.exec(`ALTER TABLE activations DROP COLUMN gate; ALTER TABLE gathered DROP COLUMN position;
             ALTER TABLE gathered DROP COLUMN group_number; DROP TABLE gates; DROP TABLE hidden; DROP TABLE schedules;
             ALTER TABLE activations DROP COLUMN visibility; ALTER TABLE consumptions DROP COLUMN visibility;
             DROP INDEX activations_by_failure; ALTER TABLE activations DROP COLUMN failures;
             ALTER TABLE activations DROP COLUMN retry_at; ALTER TABLE activations DROP COLUMN error;
             DROP TABLE questions;
             PRAGMA user_version = 1`);
    db.close();

    const second = flockOnFile();
    const seen = [""];
    declare(second, seen);
    await second.publish(Check({ ok: true }));
    await second.runUntilIdle();
    expect(seen.sort()).toEqual(["", "interrupted", "waits"]);
  });

  it("keeps what gates have gathered", async () => {
    const declare = (flock: Flock) => {
      const woken: unknown[] = [];
      flock
        .agent("judge")
        .consumes(Idea, Check, { join: { by: "correlation" } })
        .run(({ Idea: idea }) => {
          woken.push(idea);
        });
      return woken;
    };
    const first = flockOnFile();
    declare(first);
    await first.publish(Idea({ text: "a" }), { correlationId: "one" });
    await first.publish(Idea({ text: "b" }), { correlationId: "two" });
    await first.shutdown();
    const second = flockOnFile();
    const woken = declare(second);
    await second.publish(Check({ ok: true }), { correlationId: "two" });
    await second.runUntilIdle();
    await second.shutdown();
    expect(woken).toEqual([{ text: "b" }]);
    const third = flockOnFile();
    const later = declare(third);
    await third.publish([Check({ ok: true }), Check({ ok: true })], { correlationId: "two" });
    await third.publish(Check({ ok: true }), { correlationId: "one" });
    await third.runUntilIdle();
    expect(later).toEqual([{ text: "a" }]);
  });

  it("knows what was published under an idempotency key", async () => {
    const first = flockOnFile();
    first
      .agent("planner")
      .consumes(Idea)
      .run(() => {});
    const published = await first.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
    await first.shutdown();
    const second = flockOnFile();
    const again = await second.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
    expect(again).toEqual(published);
    expect(await second.store.getByType(Idea)).toHaveLength(1);
  });
});

describe("what a file takes and refuses shows in the figures", () => {
  it("its bytes, and the commits that did not fit", async () => {
    const flock = flockOnFile({ maxFileBytes: 400_000 });
    const { storeBytes = 0 } = flock.stats();
    expect(storeBytes).toBeGreaterThan(0);
    await flock.publish(Idea({ text: "x".repeat(100_000) }));
    expect(flock.stats().storeBytes).toBeGreaterThan(storeBytes);
    expect(flock.stats().failedCommits).toBe(0);
    await expect(flock.publish(Idea({ text: "x".repeat(500_000) }))).rejects.toMatchObject({ code: "store_failed" });
    expect(flock.stats().failedCommits).toBe(1);
    expect(new Flock().stats()).toMatchObject({ storeBytes: undefined, failedCommits: 0 });
  });
});
