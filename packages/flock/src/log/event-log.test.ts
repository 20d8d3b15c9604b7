import { describe, expect, it } from "vitest";
import { EventLog } from "./event-log.ts";
import { textsOf } from "./frame.ts";
import { Page } from "./page.ts";
import type { LogRange, LogSource } from "./source.ts";

function stretch(first: number, last: number, seqs: readonly number[]): LogRange {
  return { first, last, lines: seqs.map((seq) => JSON.stringify({ type: "graph_updated", seq })).join("\n") };
}

/** A store that may drop the oldest events. */
class Stored implements LogSource {
  readonly head: number;
  oldest = 1;

  constructor(head: number) {
    this.head = head;
  }

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

describe("EventLog.read", () => {
  it("skips nothing for a reader that waits for a load of the same block by a reader further ahead", async () => {
    const stored = new Stored(1_000);
    // Large events: the store returns ten of them at a time.
    const inTens: LogSource = {
      head: stored.head,
      oldest: 1,
      read: (seq, until) => stored.read(seq, Math.min(until, seq + 9)),
      leftMemory() {},
    };
    const log = new EventLog("one", 0, inTens);
    const [ahead, behind] = await Promise.all([
      log.read(500, 1_000, undefined, 1_000_000),
      log.read(20, 1_000, undefined, 1_000_000),
    ]);
    expect([...textsOf(ahead.frames)].map((text) => JSON.parse(text).seq)[0]).toBe(501);
    expect([...textsOf(behind.frames)].map((text) => JSON.parse(text).seq)[0]).toBe(21);
  });
});

describe("EventLog.beforeNewest", () => {
  it("begins with the oldest event kept, even if a page in memory holds older ones", async () => {
    const stored = new Stored(10);
    const log = new EventLog("one", 0, stored);
    expect(await log.beforeNewest(8, 10, undefined)).toBe(2);
    stored.oldest = 6;
    expect(await log.beforeNewest(8, 10, undefined)).toBe(5);
    expect(await log.beforeNewest(3, 10, undefined)).toBe(7);
  });

  it("yields to the event loop after each page of the store", async () => {
    const log = new EventLog("one", 0, new Stored(20_000));
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    expect(await log.beforeNewest(1, 20_000, { agents: ["other"] })).toBe(0);
    isDone = true;
    expect(turns).toBeGreaterThan(10);
  });

  it("begins directly before the oldest matching event, regardless of compaction", () => {
    // Another page in memory may be older than the compaction, and hold events between 1 and 3.
    const page = new Page(stretch(1, 10, [4, 8, 10]));
    expect(page.beforeNewest(3, 10, undefined)).toEqual({ after: 3, missing: 0 });
    expect(page.beforeNewest(4, 10, undefined)).toEqual({ after: 0, missing: 1 });
  });
});
