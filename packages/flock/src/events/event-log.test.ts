import { describe, expect, it } from "vitest";
import { EventLog } from "./event-log.ts";
import type { LogStretch, StoredLog } from "./stored-log.ts";

/** Ten events in a store that may drop the oldest. */
class TenEvents implements StoredLog {
  readonly head = 10;
  oldest = 1;

  read(seq: number, until: number): LogStretch {
    const seqs = Array.from({ length: Math.min(until, this.head) - seq + 1 }, (_, i) => seq + i);
    const lines = seqs.map((n) => JSON.stringify({ type: "graph_updated", seq: n }));
    return { first: seq, last: seqs.at(-1) ?? 0, lines: lines.join("\n") };
  }

  leftMemory(): void {}
}

describe("who asks for the newest N", () => {
  it("begins with what is kept, also when a page in memory still has what the store has dropped", () => {
    const stored = new TenEvents();
    const log = new EventLog("one", 0, stored);
    expect(log.beforeNewest(8, 10, undefined)).toBe(2);
    stored.oldest = 6;
    expect(log.beforeNewest(8, 10, undefined)).toBe(5);
    expect(log.beforeNewest(3, 10, undefined)).toBe(7);
  });
});
