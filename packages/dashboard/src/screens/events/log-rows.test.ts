import type { FlockEvent } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HiddenSeqs } from "../../timeline/hidden-seqs.ts";
import { Log } from "../../timeline/log.ts";
import { absentWords, LogRows, type Surroundings } from "./log-rows.ts";

function eventsAt(...seqs: readonly number[]): FlockEvent[] {
  return seqs.map((seq) => ({
    ...{ type: "agent_paused" as const, agent_id: "a", timestamp: new Date(seq).toISOString() },
    seq,
  }));
}

function around(events: readonly FlockEvent[], gaps: Surroundings["gaps"], numbers: HiddenSeqs): Surroundings {
  const log = new Log(events, events.length);
  numbers.follow(log);
  return { log, gaps, hidden: { numbers, from: 1, to: (events.at(-1)?.seq ?? 0) + 2 } };
}

const gap = { type: "gap", from_seq: 4, to_seq: 6, reason: "expired" } as const;

describe("gap rows for missing events", () => {
  it("for hidden and dropped events, before, between and after others", () => {
    const rows = new LogRows().of(eventsAt(3, 9), around(eventsAt(3, 9), [gap], new HiddenSeqs()));
    expect(rows.map((row) => ("absent" in row ? absentWords(row) : row.seq))).toEqual([
      "2 events hidden by permissions",
      3,
      "3 events missing: no longer retained",
      "2 events hidden by permissions",
      9,
      "2 events hidden by permissions",
    ]);
  });

  it("none for a viewer who sees everything", () => {
    const shown = eventsAt(1, 5);
    expect(new LogRows().of(shown, { log: new Log(shown, 2), gaps: [] })).toBe(shown);
  });

  it("equal for a growing and a complete list", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), fc.boolean(), (seqs, hasGap) => {
        const events = eventsAt(...seqs.sort((a, b) => a - b).filter((seq) => !hasGap || seq < 4 || seq > 6));
        const gaps = hasGap ? [gap] : [];
        const rows = new LogRows();
        const numbers = new HiddenSeqs();
        for (let count = 1; count <= events.length; count++) {
          const shown = events.slice(0, count);
          const fresh = new LogRows().of(shown, around(shown, gaps, new HiddenSeqs()));
          expect(rows.of(shown, around(shown, gaps, numbers))).toEqual(fresh);
        }
      }),
    );
  });
});
