import type { FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timeline } from "../../timeline/timeline.ts";
import { isWanted, MatchingEvents, type Wanted } from "./matching-events.ts";

const ALL: Wanted = { types: [], agents: [], correlation: "", text: "" };
const events = Array.from({ length: 60 }, (_, index): FlockEvent => {
  const seq = index + 1;
  const at = { seq, timestamp: new Date(seq * 1_000).toISOString() };
  const agent_id = seq % 3 === 0 ? "chef" : "critic";
  return seq % 2 === 0
    ? { ...at, type: "agent_registered", agent_id, description: "", consumes: [], publishes: [] }
    : {
        ...at,
        type: "streaming_output",
        agent_id,
        run_id: "r",
        correlation_id: seq % 5 === 0 ? "c5" : "c1",
        content: `word ${seq}`,
        offset: 0,
        is_complete: false,
        output_type: "text",
      };
});

describe("matching events of a log", () => {
  it("are computed again after older events are loaded, and for another log", () => {
    const matching = new MatchingEvents(ALL);
    const newer = new Timeline();
    newer.append(events.slice(30));
    expect(matching.in(newer.log())).toEqual(events.slice(30));
    const joined = new Timeline();
    joined.append(events);
    expect(matching.in(joined.log())).toEqual(events);
    const other = new Timeline();
    other.append(events.map((event) => ({ ...event })));
    expect(matching.in(other.log())[0]).toBe(other.log().at(0));
  });

  it("are independent of growth, time travel and eviction", () => {
    const wanted = fc.constantFrom<Wanted>(
      ALL,
      { ...ALL, types: ["streaming_output"] },
      { ...ALL, agents: ["chef"], text: "WORD 1" },
      { ...ALL, correlation: "c5" },
    );
    const steps = fc.array(
      fc.oneof(fc.record({ grow: fc.nat({ max: 12 }) }), fc.record({ travel: fc.nat({ max: 60 }) })),
    );
    fc.assert(
      fc.property(wanted, steps, (wanted, steps) => {
        const timeline = new Timeline({ spacing: 3, kept: 20 });
        const matching = new MatchingEvents(wanted);
        let added = 0;
        for (const step of steps) {
          if ("grow" in step) timeline.append(events.slice(added, (added += step.grow)));
          const log = timeline.log("travel" in step ? step.travel : undefined);
          expect(matching.in(log)).toEqual(log.slice(0).filter((event) => isWanted(event, wanted)));
        }
      }),
    );
  });
});
