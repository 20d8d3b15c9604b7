import { cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { artifact, Flock } from "../../index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";

const Order = artifact("Order", z.object({ n: z.int() }));
const Note = artifact("Note", z.object({}));

/** A baker on a file, whose runs never end by themselves. */
async function bakery(file: string, { own, shared }: { own?: number; shared?: number } = {}) {
  const flock = await Flock.open({ store: sqliteStore(file), ...(shared === undefined ? {} : { maxCrashes: shared }) });
  const baker = flock.agent("baker").consumes(Order);
  if (own !== undefined) baker.maxCrashes(own);
  const begun = Promise.withResolvers<number>();
  baker.run(async (_, { attempt }) => {
    begun.resolve(attempt);
    await new Promise<never>(() => {});
  });
  return { flock, begun: begun.promise };
}

/** Starts work in a process that crashes. Returns the file as the crash leaves it. */
async function crashed(folder: string): Promise<string> {
  const [live, left] = [join(folder, "live"), join(folder, "left")];
  const { flock, begun } = await bakery(join(live, "flock.db"));
  await flock.publish(Order({ n: 1 }));
  await begun;
  await flock.publish(Order({ n: 2 }), { correlationId: "later" });
  // Once this is committed, the start of both runs is.
  await flock.publish(Note({}));
  await cp(live, left, { recursive: true });
  await flock.shutdown();
  return join(left, "flock.db");
}

describe("work that a crash interrupts", () => {
  it("is set aside after as many crashes as the agent allows", async () => {
    await using folder = await temporaryFolder();
    const { flock } = await bakery(await crashed(folder.path), { own: 1, shared: 9 });
    expect(await flock.deadLetters()).toEqual([]);
    void flock.runUntilIdle();
    await expect
      .poll(() => flock.deadLetters())
      .toMatchObject([
        { agentId: "baker", status: "error", attempts: 1, error: { name: "CrashLimitError" } },
        { agentId: "baker", status: "error", attempts: 1, error: { name: "CrashLimitError" } },
      ]);
    expect(await flock.correlation("later")).toMatchObject({ state: "failed", error_count: 1 });
    await flock.shutdown();
  });

  it("is set aside after as many crashes as the flock allows, if the agent has no limit", async () => {
    await using folder = await temporaryFolder();
    const { flock } = await bakery(await crashed(folder.path), { shared: 1 });
    void flock.runUntilIdle();
    await expect.poll(async () => (await flock.deadLetters()).length).toBe(2);
    await flock.shutdown();
  });

  it("is not set aside for shutdowns, however many there are", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    for (const attempt of [1, 2, 3, 4, 5]) {
      const { flock, begun } = await bakery(file, { own: 1 });
      if (attempt === 1) await flock.publish(Order({ n: 1 }));
      else void flock.runUntilIdle();
      expect(await begun).toBe(attempt);
      await flock.shutdown();
    }
    const { flock } = await bakery(file);
    expect(await flock.deadLetters()).toEqual([]);
    await flock.shutdown();
  });
});
