import { describe, expect, it } from "vitest";
import { EventLog } from "./event-log.ts";
import { Page } from "./page.ts";
import type { LogRange, LogSource } from "./source.ts";

function stretch(first: number, last: number, seqs: readonly number[]): LogRange {
  return { first, last, lines: seqs.map((seq) => JSON.stringify({ type: "graph_updated", seq })).join("\n") };
}

/** Ten events in a store that may drop the oldest. */
class TenEvents implements LogSource {
  readonly head = 10;
  oldest = 1;

  async read(seq: number, until: number): Promise<LogRange> {
    const last = Math.min(until, this.head);
    return stretch(
      seq,
      last,
      Array.from({ length: last - seq + 1 }, (_, i) => seq + i),
    );
  }

  leftMemory(): void {}
}

describe("who asks for the newest N", () => {
  it("begins with what is kept, also when a page in memory still has what the store has dropped", async () => {
    const stored = new TenEvents();
    const log = new EventLog("one", 0, stored);
    expect(await log.beforeNewest(8, 10, undefined)).toBe(2);
    stored.oldest = 6;
    expect(await log.beforeNewest(8, 10, undefined)).toBe(5);
    expect(await log.beforeNewest(3, 10, undefined)).toBe(7);
  });

  it("begins right before the oldest of them, whatever compaction has left between", () => {
    // Another page in memory may be of before the compaction, and have events between 1 and 3.
    const page = new Page(stretch(1, 10, [4, 8, 10]));
    expect(page.beforeNewest(3, 10, undefined)).toEqual({ after: 3, missing: 0 });
    expect(page.beforeNewest(4, 10, undefined)).toEqual({ after: 0, missing: 1 });
  });
});
