import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TimeSlices } from "./time-slices.ts";

const neverFails = (_worker: string, error: unknown) => {
  throw error;
};

describe("those who have work to do take turns", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("in the order in which they asked, and whoever is not done again after the others", () => {
    const done: string[] = [];
    const turns = new TimeSlices<string>((worker) => {
      done.push(worker);
      if (worker === "a" && done.length < 4) turns.take("a");
    }, neverFails);
    for (const worker of ["a", "b", "c"]) turns.take(worker);
    expect(done).toEqual([]);
    expect(turns.isIdle).toBe(false);
    vi.runAllTimers();
    expect(done).toEqual(["a", "b", "c", "a"]);
    expect(turns.isIdle).toBe(true);
  });

  it("and nobody while they rest, whoever asks meanwhile", () => {
    const done: string[] = [];
    const turns = new TimeSlices<string>(
      (worker) => done.push(worker),
      neverFails,
      () => 20,
    );
    turns.take("a");
    vi.advanceTimersByTime(1);
    expect(done).toEqual(["a"]);
    turns.take("b");
    vi.advanceTimersByTime(15);
    expect(done).toEqual(["a"]);
    vi.advanceTimersByTime(10);
    expect(done).toEqual(["a", "b"]);
  });

  it("and one whose work throws takes no turn from the others", () => {
    const done: string[] = [];
    const failed: unknown[] = [];
    const turns = new TimeSlices<string>(
      (worker) => {
        if (worker === "b") throw new Error("broken");
        done.push(worker);
      },
      (worker, error) => failed.push([worker, (error as Error).message]),
    );
    for (const worker of ["a", "b", "c"]) turns.take(worker);
    vi.runAllTimers();
    turns.take("d");
    vi.runAllTimers();
    expect(done).toEqual(["a", "c", "d"]);
    expect(failed).toEqual([["b", "broken"]]);
  });
});
