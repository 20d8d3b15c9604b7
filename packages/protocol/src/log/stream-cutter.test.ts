import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventOf, FlockEvent } from "../wire/events.ts";
import { overlapOf, StreamCutter } from "./stream-cutter.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
const who = { agent_id: "a", correlation_id: "c", timestamp };
const chunk = (offset: number, content: string, more: Partial<EventOf<"streaming_output">> = {}): FlockEvent => ({
  ...who,
  type: "streaming_output",
  seq: 1,
  run_id: "r",
  output_type: "text",
  offset,
  content,
  is_complete: false,
  ...more,
});

describe("StreamCutter", () => {
  it("yields each code unit of a stream once, however chunks overlap", () => {
    const text = "the quick brown fox jumps over the lazy dog";
    // Each chunk begins at most where the received text ends, as after a resume, and reaches any distance.
    const steps = fc.array(fc.record({ back: fc.nat(50), length: fc.nat(20) }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (all) => {
        const cutter = new StreamCutter();
        let received = "";
        for (const { back, length } of all) {
          const offset = Math.max(0, received.length - back);
          const event = cutter.apply(chunk(offset, text.slice(offset, offset + length)));
          if (event.type !== "streaming_output") throw new Error("unreachable");
          if (event.content !== "") expect(event.offset).toBe(received.length);
          received += event.content;
        }
        expect(received).toBe(text.slice(0, received.length));
      }),
    );
  });

  it("returns a chunk without repeated text unchanged", () => {
    const cutter = new StreamCutter();
    for (const event of [chunk(0, "ab"), chunk(2, "cd"), chunk(9, "after a gap")]) {
      expect(cutter.apply(event)).toBe(event);
    }
  });

  it("does not change the event it is given", () => {
    const cutter = new StreamCutter();
    cutter.apply(chunk(0, "abc"));
    const repeated = chunk(1, "bcd");
    expect(cutter.apply(repeated)).toMatchObject({ offset: 3, content: "d" });
    expect(repeated).toMatchObject({ offset: 1, content: "bcd" });
  });

  it("tracks each run separately", () => {
    const cutter = new StreamCutter();
    cutter.apply(chunk(0, "abc"));
    expect(cutter.apply(chunk(0, "abc", { run_id: "other" }))).toMatchObject({ content: "abc" });
  });

  it("forgets a stream with its last chunk, with the end of its run, and on clear()", () => {
    const end: FlockEvent = {
      ...who,
      type: "agent_execution_completed",
      seq: 2,
      run_id: "r",
      duration_ms: 1,
      status: "success",
      produced_artifacts: [],
    };
    const endings: ((cutter: StreamCutter) => void)[] = [
      (cutter) => cutter.apply(chunk(1, "b", { is_complete: true })),
      (cutter) => expect(cutter.apply(end)).toBe(end),
      (cutter) => cutter.clear(),
    ];
    for (const finish of endings) {
      const cutter = new StreamCutter();
      cutter.apply(chunk(0, "a"));
      finish(cutter);
      expect(cutter.apply(chunk(0, "again"))).toMatchObject({ offset: 0, content: "again" });
    }
  });
});

describe("overlapOf", () => {
  it("is 0 before a gap, and never more than the chunk holds", () => {
    expect(overlapOf(2, { offset: 5, content: "abc" })).toBe(0);
    expect(overlapOf(6, { offset: 5, content: "abc" })).toBe(1);
    expect(overlapOf(50, { offset: 5, content: "abc" })).toBe(3);
  });
});
