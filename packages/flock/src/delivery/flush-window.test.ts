import { describe, expect, it } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { FlushWindow } from "./flush-window.ts";

/** Creates a window on a stopped clock, except that each flush takes `workMs`. */
function windowOf(workMs: number) {
  const clock = fakeClock();
  let worked = 0;
  const flushes: number[] = [];
  const timed = { ...bound(clock), elapsed: () => clock.now() + worked };
  const window = new FlushWindow(timed, () => {
    flushes.push(clock.now());
    worked += workMs;
  });
  const start = clock.now();
  return { clock, window, flushes: () => flushes.map((at) => at - start) };
}

function bound(clock: ReturnType<typeof fakeClock>) {
  return { now: () => clock.now(), after: (ms: number, callback: () => void) => clock.after(ms, callback) };
}

describe("FlushWindow", () => {
  it("flushes soon after a quiet time, but not in the same call, and once for all requests until then", async () => {
    const { clock, window, flushes } = windowOf(1);
    window.request();
    window.request();
    expect(flushes()).toEqual([]);
    await clock.advance(0);
    expect(flushes()).toEqual([0]);
  });

  it("waits five times as long as the last flush took, at most 20 ms", async () => {
    for (const [workMs, wait] of [
      [1, 5],
      [2, 10],
      [100, 20],
    ] as const) {
      const { clock, window, flushes } = windowOf(workMs);
      window.request();
      await clock.advance(0);
      window.request();
      await clock.advance(1_000);
      expect(flushes()).toEqual([0, wait]);
    }
  });

  it("flushes at once when asked to, and cancels the scheduled flush", async () => {
    const { clock, window, flushes } = windowOf(1);
    window.request();
    window.flushNow();
    expect(flushes()).toEqual([0]);
    await clock.advance(1_000);
    expect(flushes()).toEqual([0]);
  });
});
