import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FlockEvent } from "@flock-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, memoryStore, type Principal, visibility } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ text: z.string() }));
const idea = Idea({ text: "truffle" });
const stranger: Principal = { kind: "client", name: "stranger" };
const red: Principal = { kind: "client", name: "red", labels: ["red"] };

async function eventsOf<T extends FlockEvent["type"]>(flock: Flock, type: T) {
  const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  const events = [...textsOf(frames)].map((text): FlockEvent => JSON.parse(text));
  return events.filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);
}

/** Lets what a clock has set off happen, commits and all. */
async function turn(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A chef that fails so many times, on a clock that stands still; each attempt is noted. */
async function failing(
  times: number,
  options: { attempts?: number; file?: string | undefined; clock?: FakeClock } = {},
) {
  const { attempts = 3, file, clock = fakeClock() } = options;
  const flock = await Flock.open({
    clock,
    store: file === undefined ? memoryStore() : sqliteStore(join(folder, file)),
  });
  const tries: { attempt: number; activationId: string; at: number }[] = [];
  const chef = flock.agent("chef").consumes(Idea).publishes(Pizza);
  if (attempts > 1) chef.retry({ attempts, delay: 1_000, factor: 2, jitter: 0 });
  chef.run(({ Idea: { text } }, { attempt, activationId }) => {
    tries.push({ attempt, activationId, at: clock.now() });
    if (tries.length <= times) throw new Error(`failure ${tries.length}`);
    return Pizza({ text });
  });
  return { flock, clock, tries };
}

describe.each([
  ["in memory", undefined],
  ["in a file", "flock.db"],
])("an agent with retries, %s", (_, file) => {
  it("is run again after each wait, and the workflow stays active until it has succeeded", async () => {
    const { flock, clock, tries } = await failing(2, { file });
    const start = clock.now();
    const { correlationId } = await flock.publish(idea);
    await turn();
    expect(tries).toHaveLength(1);
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "active", error_count: 0 });
    expect(flock.stats().runs).toMatchObject({ error: 1, queued: 1, running: 0 });
    await clock.advance(999);
    await turn();
    expect(tries).toHaveLength(1);
    await clock.advance(1);
    await turn();
    expect(tries).toHaveLength(2);
    await clock.advance(2_000);
    await flock.runUntilIdle();
    expect(tries.map(({ attempt, at }) => [attempt, at - start])).toEqual([
      [1, 0],
      [2, 1_000],
      [3, 3_000],
    ]);
    expect(new Set(tries.map(({ activationId }) => activationId)).size).toBe(1);
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "completed", run_count: 1 });
    const ends = await eventsOf(flock, "agent_execution_completed");
    expect(ends.map(({ status, retry_at }) => [status, retry_at && Date.parse(retry_at) - start])).toEqual([
      ["error", 1_000],
      ["error", 3_000],
      ["success", undefined],
    ]);
    const starts = await eventsOf(flock, "agent_execution_started");
    expect(starts.map(({ run_id }) => run_id)).toEqual(ends.map(({ run_id }) => run_id));
    expect(new Set(starts.map(({ run_id }) => run_id)).size).toBe(3);
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
    expect(await flock.deadLetters()).toEqual([]);
    await flock.shutdown();
  });

  it("can be cancelled while it waits, by any of its ids", async () => {
    const { flock, clock, tries } = await failing(9, { file, attempts: 5 });
    for (const which of ["failed run", "activation", "workflow"]) {
      const { correlationId } = await flock.publish(idea);
      await turn();
      await clock.advance(1_000);
      await turn();
      const failed = (await eventsOf(flock, "agent_execution_completed")).at(-1);
      const ids = { "failed run": { runId: failed?.run_id ?? "" }, workflow: { correlationId } };
      const activation = { runId: tries.at(-1)?.activationId ?? "" };
      const { cancelled, seq } = await flock.cancel(ids[which as keyof typeof ids] ?? activation);
      expect(cancelled).toBe(1);
      // No start tells which work this run was for.
      const ended = { seq, status: "cancelled", activation_id: tries.at(-1)?.activationId };
      expect((await eventsOf(flock, "agent_execution_completed")).at(-1)).toMatchObject(ended);
      expect(await flock.correlation(correlationId)).toMatchObject({ state: "completed" });
    }
    await flock.runUntilIdle();
    const count = tries.length;
    await clock.advance(1e6);
    await turn();
    expect(tries).toHaveLength(count);
    expect(await flock.deadLetters()).toEqual([]);
    await flock.shutdown();
  });

  it("that has used up its attempts leaves a dead letter, which can be run again, with all its retries", async () => {
    const { flock, clock, tries } = await failing(4, { file, attempts: 2 });
    const { artifactId, correlationId } = await flock.publish(idea);
    await turn();
    await clock.advance(1_000);
    await flock.runUntilIdle();
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "failed" });
    const [letter] = await flock.deadLetters();
    expect(letter).toMatchObject({
      id: tries[0]?.activationId,
      agentId: "chef",
      correlationId,
      attempts: 2,
      status: "error",
      error: { name: "Error", message: "failure 2" },
      missing: 0,
      failedAt: new Date(clock.now()).toISOString(),
    });
    expect(letter?.artifacts.map(({ id }) => id)).toEqual([artifactId]);
    const id = letter?.id ?? "";

    const { attempt, done } = await flock.retryDeadLetter(id);
    expect(attempt).toBe(3);
    expect(await flock.deadLetters()).toEqual([]);
    await turn();
    await clock.advance(1_000);
    expect(await done).toMatchObject({ status: "error" });
    expect(await flock.deadLetters()).toMatchObject([{ id, attempts: 4, error: { message: "failure 4" } }]);

    const again = await Promise.allSettled([flock.retryDeadLetter(id), flock.retryDeadLetter(id)]);
    expect(again.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await flock.runUntilIdle();
    expect(tries.map((one) => [one.attempt, one.activationId])).toEqual([1, 2, 3, 4, 5].map((n) => [n, id]));
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
    expect(await flock.correlation(correlationId)).toMatchObject({ state: "completed" });
    await expect(flock.retryDeadLetter(id)).rejects.toMatchObject({ code: "not_found" });
    await flock.shutdown();
  });

  it("leaves dead letters that can be thrown away, and are read page by page", async () => {
    const { flock } = await failing(9, { file, attempts: 1 });
    for (let n = 0; n < 5; n++) await flock.publish(idea, { correlationId: `dinner-${n}` });
    await flock.runUntilIdle();
    const all = await flock.deadLetters();
    expect(all).toHaveLength(5);
    const pages = [];
    for (let after: string | undefined; ; ) {
      const page = await flock.deadLetters({ limit: 2, after });
      if (page.length === 0) break;
      pages.push(page);
      after = page.at(-1)?.id;
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(all);
    const [one] = await flock.deadLetters({ correlationId: "dinner-3", agentId: "chef" });
    expect(one?.correlationId).toBe("dinner-3");
    await flock.discardDeadLetter(one?.id ?? "");
    await expect(flock.discardDeadLetter(one?.id ?? "")).rejects.toMatchObject({ code: "not_found" });
    expect(await flock.deadLetters()).toEqual(all.filter(({ id }) => id !== one?.id));
    expect(await flock.deadLetters({ agentId: "unknown" })).toEqual([]);
    await flock.shutdown();
  });

  it("shows its dead letters only to principals that may see the run", async () => {
    const flock = await Flock.open({ store: file === undefined ? memoryStore() : sqliteStore(join(folder, file)) });
    flock
      .agent("chef")
      .labels("red")
      .consumes(Idea)
      .run(() => {
        throw new Error("secret");
      });
    await flock.publish(idea, { visibility: visibility.labelled("red") });
    await flock.runUntilIdle();
    const [letter] = await flock.deadLetters();
    expect(await flock.deadLetters({}, red)).toEqual([letter]);
    expect(await flock.deadLetters({}, stranger)).toEqual([]);
    const id = letter?.id ?? "";
    await expect(flock.retryDeadLetter(id, stranger)).rejects.toMatchObject({ code: "not_found" });
    await expect(flock.discardDeadLetter(id, stranger)).rejects.toMatchObject({ code: "not_found" });
    await flock.discardDeadLetter(id, red);
    await flock.shutdown();
  });

  it("publishes nothing of a failed attempt, and does not try again what was refused as a loop", async () => {
    const flock = await Flock.open({
      maxDepth: 1,
      store: file === undefined ? memoryStore() : sqliteStore(join(folder, file)),
    });
    let tries = 0;
    flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza, { fanOut: 1 })
      .retry({ attempts: 3, delay: 0, when: () => true })
      .run(({ Idea: { text } }) => {
        tries += 1;
        return tries < 3 ? [Pizza({ text }), Pizza({ text })] : Pizza({ text });
      });
    flock
      .agent("waiter")
      .consumes(Pizza)
      .retry({ attempts: 3, delay: 0, when: () => true })
      .run(() => {});
    await flock.publish(idea);
    await flock.runUntilIdle();
    expect(tries).toBe(3);
    expect(await flock.store.getByType(Pizza)).toHaveLength(1);
    expect(await flock.deadLetters()).toMatchObject([{ agentId: "waiter", error: { name: "LoopError" }, attempts: 1 }]);
    await flock.shutdown();
  });
});

describe("a shutdown between two attempts", () => {
  it("leaves the rest of the wait, the count of failures and the dead letters to the next process", async () => {
    const clock = fakeClock();
    const start = clock.now();
    const first = await failing(9, { file: "flock.db", attempts: 3, clock });
    await first.flock.publish(idea);
    await turn();
    await clock.advance(400);
    await first.flock.shutdown();

    const second = await failing(9, { file: "flock.db", attempts: 3, clock });
    const idle = second.flock.runUntilIdle();
    await turn();
    expect(second.tries).toEqual([]);
    await clock.advance(599);
    await turn();
    expect(second.tries).toEqual([]);
    await clock.advance(1);
    await turn();
    await clock.advance(2_000);
    await idle;
    expect(second.tries.map(({ attempt, at }) => [attempt, at - start])).toEqual([
      [2, 1_000],
      [3, 3_000],
    ]);
    const [letter] = await second.flock.deadLetters();
    expect(letter).toMatchObject({ id: first.tries[0]?.activationId, attempts: 3 });
    await second.flock.shutdown();

    const third = await failing(0, { file: "flock.db", clock });
    expect(await third.flock.deadLetters()).toEqual([letter]);
    const { done } = await third.flock.retryDeadLetter(letter?.id ?? "");
    expect(await done).toMatchObject({ status: "success" });
    expect(third.tries).toMatchObject([{ attempt: 4, activationId: letter?.id }]);
    await third.flock.shutdown();
  });
});
