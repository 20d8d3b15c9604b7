import type { FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Log } from "../../timeline/log.ts";
import { Density } from "./density.ts";

/** Events in order, with gaps, some of them failures. */
const logs = fc
  .array(fc.record({ step: fc.integer({ min: 1, max: 4 }), failed: fc.boolean(), ms: fc.nat({ max: 5_000 }) }))
  .map((items) => {
    let [seq, time] = [0, 1_700_000_000_000];
    return items.map(({ step, failed, ms }) => {
      seq += step;
      time += ms;
      const timestamp = new Date(time).toISOString();
      return (failed
        ? { type: "agent_execution_completed", status: "error", seq, timestamp }
        : { type: "streaming_output", seq, timestamp }) as unknown as FlockEvent;
    });
  });

/** The same, computed event by event. */
function plainly(events: readonly FlockEvent[], first: number, last: number, bars: number) {
  const at = ({ seq }: FlockEvent) => Math.floor(((seq - first) / (last - first + 1)) * bars);
  const stretches = Array.from({ length: bars }, (_, bar) => events.filter((event) => at(event) === bar));
  let before: string | undefined;
  return {
    weights: stretches.map((stretch) => {
      const end = stretch.at(-1)?.timestamp;
      if (end === undefined) return 0;
      const began = before ?? (stretch[0]?.timestamp as string);
      before = end;
      return Math.log1p(stretch.length / Math.max(0.05, (Date.parse(end) - Date.parse(began)) / 1_000));
    }),
    failures: stretches.map((stretch) => stretch.filter(({ type }) => type === "agent_execution_completed").length),
  };
}

describe("the density covers all events of the log", () => {
  it("with any growth, and when the oldest part is evicted or loaded", () => {
    fc.assert(
      fc.property(logs, fc.array(fc.tuple(fc.nat({ max: 99 }), fc.nat({ max: 99 }))), (events, looks) => {
        const density = new Density();
        for (const [from, to] of looks) {
          const shown = events.slice(Math.min(from, to), Math.max(from, to));
          const [first, last] = [shown[0]?.seq ?? 1, shown.at(-1)?.seq ?? 0];
          if (last < first) continue;
          expect(density.of(new Log(shown, shown.length), first, last, 7)).toEqual(plainly(shown, first, last, 7));
        }
      }),
    );
  });
});
