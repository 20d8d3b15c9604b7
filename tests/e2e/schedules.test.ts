import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ArtifactPage } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { delay } from "../support/delay.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RunningProgram } from "../support/process.ts";
import { strength } from "../support/strength.ts";

const program = fileURLToPath(new URL("programs/ticking.ts", import.meta.url));
const INTERVAL = 50;
const KILLS = strength({ short: 4, soak: 8 });

interface Tick {
  readonly scheduled_for: string;
  readonly count: number;
  readonly missed: number;
}

async function payloads<T>(port: string, type: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = `type_names=${type}&limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/plugin/artifacts?${query}`);
    const page = (await response.json()) as ArtifactPage;
    all.push(...page.artifacts.map(({ payload }) => payload as T));
    cursor = page.next_cursor;
  }
  return all;
}

describe("schedule whose process is killed repeatedly, between ticks and during runs", () => {
  it.for(["skip", "queue"] as const)(
    "emits each time once or counts it as missed, and does each tick's work once (overlap: %s)",
    { timeout: 200_000 },
    async (overlap) => {
      await using folder = await temporaryFolder();
      const start = () =>
        new RunningProgram(["node", program, join(folder.path, "flock.db"), overlap, String(INTERVAL)]);
      let interrupted = 0;
      // A kill right after the line of a run may precede the commit of its start. Then nothing was interrupted.
      for (let kill = 0; kill < KILLS || (interrupted === 0 && kill < 10 * KILLS); kill++) {
        const server = start();
        await server.line(/^port/);
        // Some processes live until a run has started, so that it is interrupted.
        if (kill % 3 === 0) await server.line(/^begins/);
        else await delay(Math.random() * 4 * INTERVAL);
        server.signal("SIGKILL");
        await server.exit();
        interrupted += server.lines.filter((line) => /attempt [^1]/.test(line)).length;
        await server[Symbol.asyncDispose]();
      }
      await using last = start();
      const port = (await last.line(/^port/)).slice(5);
      const done = async () => (await payloads<{ count: number }>(port, "Digest")).map(({ count }) => count);
      await expect.poll(async () => (await done()).length, { timeout: 60_000 }).toBeGreaterThan(KILLS);
      interrupted += last.lines.filter((line) => /attempt [^1]/.test(line)).length;
      expect(interrupted).toBeGreaterThan(0);
      const ticks = await payloads<Tick>(port, "ScheduleTick");
      ticks.sort((a, b) => a.count - b.count);
      const times = ticks.map(({ scheduled_for }) => Date.parse(scheduled_for));
      for (const [n, { count, missed }] of ticks.entries()) {
        expect(count).toBe(n + 1);
        // Every time of the grid between two ticks is counted by the later one.
        if (n > 0) expect((times[n] as number) - (times[n - 1] as number)).toBe((missed + 1) * INTERVAL);
      }
      await expect
        .poll(async () => (await done()).filter((count) => count <= ticks.length).length, { timeout: 60_000 })
        .toBe(ticks.length);
      const counts = await done();
      expect(new Set(counts).size).toBe(counts.length);
    },
  );
});
