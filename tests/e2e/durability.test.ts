import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { delay } from "../support/delay.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";

const program = (name: string) => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
const Order = artifact("Order", z.object({ n: z.int() }));

describe("SQLite file that another program locks", () => {
  it("delays publishes for as long as the lock lasts, and nothing else", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    await using flock = await await Flock.open({ store: sqliteStore(file) });
    flock.register(Order);
    await flock.publish(Order({ n: 0 }));
    const holder = new RunningProgram(["node", program("lock-holder"), file]);
    await holder.line(/^locked/);

    let acknowledged = 0;
    const publishing = Array.from({ length: 100 }, async (_, i) => {
      await flock.publish(Order({ n: i + 1 }));
      acknowledged += 1;
    });
    // The event loop keeps running: a wait inside SQLite would let no timer fire. Reads work, and no publish is
    // acknowledged.
    for (let turn = 0; turn < 150; turn++) await delay(40);
    expect(await flock.store.getByType(Order)).toEqual([{ n: 0 }]);
    expect(acknowledged).toBe(0);

    await holder[Symbol.asyncDispose]();
    await Promise.all(publishing);
    const orders = await flock.store.getByType(Order);
    expect(orders.map(({ n }) => n)).toEqual(Array.from({ length: 101 }, (_, n) => n));
    expect(flock.stats().failedCommits).toBe(0);
  }, 60_000);
});

describe("process with durability `full` that is killed", () => {
  it("has lost nothing acknowledged", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "flock.db");
    for (const enough of [1, 40, 90, 200]) {
      await using publisher = new RunningProgram(["node", program("full-publisher"), file]);
      await publisher.line(new RegExp(`^acknowledged ${enough}$`));
      publisher.signal("SIGKILL");
      await publisher.exit();
      const acknowledged = publisher.lines.map((line) => Number(/^acknowledged (\d+)$/.exec(line)?.[1]));
      await using flock = await Flock.open({ store: sqliteStore(file) });
      const stored = new Set((await flock.store.getByType(Order)).map(({ n }) => n));
      expect(acknowledged.length).toBeGreaterThan(0);
      expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
    }
  }, 60_000);
});
