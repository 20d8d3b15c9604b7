import type { FlockEvent } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Log } from "./log.ts";
import { parsePosition, seqAt } from "./parse-position.ts";

function logAt(...times: readonly Date[]): Log {
  const events = times.map(
    (time, index): FlockEvent => ({
      ...{ type: "agent_paused", agent_id: "a" },
      seq: (index + 1) * 10,
      timestamp: time.toISOString(),
    }),
  );
  return new Log(events, events.length);
}

const evening = logAt(new Date(2026, 2, 13, 23, 50), new Date(2026, 2, 14, 0, 10), new Date(2026, 2, 14, 14, 30));
const at = (...parts: [number, number, number, number, number, number?, number?]) => ({
  moment: new Date(...parts).getTime(),
});

describe("parses a typed position", () => {
  it.for([
    ["41200", { seq: 41_200 }],
    ["#41,200", { seq: 41_200 }],
    ["14:03", at(2026, 2, 14, 14, 3)],
    ["9:05:07.5", at(2026, 2, 14, 9, 5, 7, 500)],
    // Later than now today, so it means yesterday.
    ["23:55", at(2026, 2, 13, 23, 55)],
    ["2026-03-13 12:00", at(2026, 2, 13, 12, 0)],
    ["2026-03-14T09:27:01.120Z", { moment: Date.UTC(2026, 2, 14, 9, 27, 1, 120) }],
    ["25:00", undefined],
    ["2026-02-30 12:00", undefined],
    ["pizza 14:03", undefined],
    ["", undefined],
  ] as const)("%s", ([text, meant]) => {
    expect(parsePosition(text, evening)).toEqual(meant);
  });

  it("a moment resolves to the newest event up to it", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000)), fc.nat(1_100), (minutes, wanted) => {
        const times = minutes.sort((a, b) => a - b);
        const index = times.findLastIndex((minute) => minute <= wanted);
        const log = logAt(...times.map((minute) => new Date(minute * 60_000)));
        expect(seqAt(log, wanted * 60_000)).toBe(index < 0 ? undefined : (index + 1) * 10);
      }),
    );
  });
});
