import { describe, expect, it } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { TimeSlices } from "./time-slices.ts";

const failed = (_worker: string, error: unknown) => {
  throw error;
};

describe("TimeSlices", () => {
  it("runs workers in the order in which they were added, and a worker that has more to do after the others", async () => {
    const clock = fakeClock();
    const done: string[] = [];
    const slices = new TimeSlices<string>({
      clock,
      failed,
      work: (worker) => {
        done.push(worker);
        if (worker === "a" && done.length < 4) slices.add("a");
      },
    });
    for (const worker of ["a", "b", "c"]) slices.add(worker);
    expect(done).toEqual([]);
    expect(slices.isIdle).toBe(false);
    await clock.advance(0);
    expect(done).toEqual(["a", "b", "c", "a"]);
    expect(slices.isIdle).toBe(true);
  });

  it("runs no worker during a pause", async () => {
    const clock = fakeClock();
    const done: string[] = [];
    const slices = new TimeSlices<string>({ clock, failed, work: (worker) => done.push(worker), restAfter: () => 20 });
    slices.add("a");
    await clock.advance(0);
    expect(done).toEqual(["a"]);
    slices.add("b");
    await clock.advance(19);
    expect(done).toEqual(["a"]);
    await clock.advance(1);
    expect(done).toEqual(["a", "b"]);
  });

  it("runs the other workers when one throws", async () => {
    const clock = fakeClock();
    const done: string[] = [];
    const failures: unknown[] = [];
    const slices = new TimeSlices<string>({
      clock,
      work: (worker) => {
        if (worker === "b") throw new Error("broken");
        done.push(worker);
      },
      failed: (worker, error) => failures.push([worker, (error as Error).message]),
    });
    for (const worker of ["a", "b", "c"]) slices.add(worker);
    await clock.advance(0);
    slices.add("d");
    await clock.advance(0);
    expect(done).toEqual(["a", "c", "d"]);
    expect(failures).toEqual([["b", "broken"]]);
  });
});
