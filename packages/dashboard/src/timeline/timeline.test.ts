import { emptyState, type FlockEvent, type FlockState, graphOf, reduceAll } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileOf, opened } from "../recordings/format.ts";
import { begunAt, withOlder } from "./join.ts";
import { Playback } from "./playback.ts";
import { DASHBOARD_LIMITS, Timeline } from "./timeline.ts";

const time = (seq: number) => new Date(1_700_000_000_000 + seq * 1_000).toISOString();

/** A log in which agents run, fail, stream and publish. Seqs may have gaps, as with a filter. */
const logs: fc.Arbitrary<FlockEvent[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom("started", "completed", "streamed", "published"),
      agent: fc.constantFrom("chef", "critic"),
      run: fc.nat({ max: 6 }),
      ok: fc.boolean(),
      hole: fc.constantFrom(0, 0, 0, 3),
    }),
    { maxLength: 80 },
  )
  .map((items) => {
    let seq = 0;
    return items.map(({ kind, agent, run, ok, hole }): FlockEvent => {
      seq += 1 + hole;
      const at = { seq, timestamp: time(seq) };
      const ids = { agent_id: agent, run_id: `${agent}-${run}`, correlation_id: "c" };
      if (kind === "started")
        return { ...at, ...ids, type: "agent_execution_started", consumed_artifacts: ["a"], attempt: 1 };
      if (kind === "streamed")
        return {
          ...at,
          ...ids,
          type: "streaming_output",
          content: "x",
          offset: 0,
          is_complete: false,
          output_type: "text",
        };
      if (kind === "completed")
        return {
          ...at,
          ...ids,
          type: "agent_execution_completed",
          duration_ms: 3,
          status: ok ? "success" : "error",
          produced_artifacts: [],
        };
      return {
        ...at,
        type: "artifact_published",
        artifact_id: `artifact-${seq}`,
        artifact_type: "Pizza",
        produced_by: agent,
        correlation_id: "c",
        tags: [],
        visibility: { kind: "public" },
        payload: {},
      };
    });
  });

const plain = (state: FlockState) => ({
  ...state,
  agents: [...state.agents],
  runs: [...state.runs],
  artifacts: [...state.artifacts],
  gates: [...state.gates],
});
/** A batch must not compare states by `seq`, which stays behind at a gap. */
const foldTo = (events: readonly FlockEvent[], seq: number) =>
  reduceAll(
    emptyState(),
    events.filter((event) => event.seq <= seq),
    DASHBOARD_LIMITS,
  );

/** A timeline that received the events in batches of one size. */
function filled(events: readonly FlockEvent[], size: number, options: ConstructorParameters<typeof Timeline>[0] = {}) {
  const timeline = new Timeline({ spacing: 5, ...options });
  for (let index = 0; index < events.length; index += size) timeline.append(events.slice(index, index + size));
  return timeline;
}

describe("the state at any seq is the fold from the beginning", () => {
  it("with any batches and any checkpoints", () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 1, max: 30 }), fc.nat({ max: 200 }), (events, size, seq) => {
        expect(plain(filled(events, size).at(seq))).toEqual(plain(foldTo(events, seq)));
      }),
    );
  });

  it("also after the oldest events are evicted", () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 1, max: 30 }), fc.nat({ max: 200 }), (events, size, offset) => {
        const timeline = filled(events, size, { kept: 10 });
        const seq = timeline.first - 1 + offset;
        expect(plain(timeline.at(seq))).toEqual(plain(foldTo(events, seq)));
      }),
    );
  });

  it("also when older events are loaded later", async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.nat({ max: 80 }), fc.nat({ max: 200 }), async (events, cut, seq) => {
        const timeline = await withOlder([events.slice(0, cut)], filled(events.slice(cut), 7));
        expect(plain(timeline.at(seq))).toEqual(plain(foldTo(events, seq)));
        expect(timeline.log().length).toBe(events.length);
      }),
    );
  });
});

describe("a log without its beginning counts what the server counts", () => {
  it("from the server's graph at any seq", async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.nat({ max: 80 }), fc.nat({ max: 80 }), async (events, cut, more) => {
        const known = events.slice(cut);
        if (known.length === 0) return;
        const seq = (known[Math.min(known.length - 1, more)] as FlockEvent).seq;
        const declared = [...foldTo(events, Number.POSITIVE_INFINITY).agents.keys()].map((id) => ({
          id,
          type: "agent" as const,
          label: id,
          consumes: [],
          publishes: [],
        }));
        const timeline = filled(known, 7);
        const graph = graphOf({ ...foldTo(events, seq), nodes: declared });
        const again = await begunAt(timeline.baseFor(graph), timeline, timeline);
        timeline.begin(graph);
        expect(plain(again.head)).toEqual(plain(timeline.head));
        const counted = (state: FlockState) =>
          [...state.agents].map(([id, { counters }]) => [id, counters.started, counters.succeeded, counters.failed]);
        const expected = counted(foldTo(events, seq)).sort();
        const found = counted(timeline.at(seq)).filter(([, ...counters]) => counters.some((count) => count !== 0));
        expect(found.sort()).toEqual(expected.filter(([, ...counters]) => counters.some((count) => count !== 0)));
      }),
    );
  });
});

describe("a gap applies to every seq after it, and to none before", () => {
  it("runs before it no longer count as running", () => {
    fc.assert(
      fc.property(logs, fc.nat({ max: 80 }), fc.integer({ min: 1, max: 30 }), (events, cut, size) => {
        const before = events.slice(0, cut);
        const end = before.at(-1)?.seq ?? 0;
        const timeline = filled(before, size);
        timeline.mark({
          kind: "gap",
          at: end + 5,
          gap: { type: "gap", from_seq: end + 1, to_seq: end + 5, reason: "expired" },
        });
        const after = events.slice(cut).map((event) => ({ ...event, seq: event.seq + 5 }));
        for (let index = 0; index < after.length; index += size) timeline.append(after.slice(index, index + size));
        expect([...timeline.at(end + 5).runs.values()].some(({ status }) => status === "running")).toBe(false);
        expect(plain(timeline.at(end))).toEqual(plain(foldTo(before, end)));
        expect(timeline.gaps.length).toBe(1);
      }),
    );
  });
});

describe("a saved file shows the same when opened", () => {
  it("the states and events of the range", () => {
    fc.assert(
      fc.property(logs, fc.nat({ max: 80 }), (events, from) => {
        if (events.length === 0) return;
        const timeline = filled(events, 7);
        const first = (events[Math.min(from, events.length - 1)] as FlockEvent).seq;
        const { timeline: read } = opened(fileOf(timeline, { from: first, to: timeline.last, epoch: "e" }));
        expect(read.log().slice(0)).toEqual(events.filter(({ seq }) => seq >= first));
        if (first === events[0]?.seq) expect(plain(read.head)).toEqual(plain(timeline.head));
      }),
    );
  });

  it("rejects other files and names the line", () => {
    expect(() => opened("hello")).toThrow("line 1 is not JSON");
    expect(() => opened('{"seq":1,"type":"x"}\n{"a":1}')).toThrow("line 2 is not an event");
    expect(() => opened("\n")).toThrow("no event in this file");
  });
});

describe("plays the past at its original speed", () => {
  it("and shortens long pauses", () => {
    const seconds = [0, 1, 2, 3_600];
    const events = seconds.map((second, index) => ({
      ...{ type: "agent_registered" as const, agent_id: "a", description: "", consumes: [], publishes: [] },
      seq: index + 1,
      timestamp: new Date(second * 1_000).toISOString(),
    }));
    const playback = new Playback(filled(events, 4).log(), 1);
    expect([playback.advance(999), playback.advance(1), playback.advance(1_000)]).toEqual([1, 2, 3]);
    expect(playback.isOver).toBe(false);
    expect(playback.advance(2_000)).toBe(4);
    expect(playback.isOver).toBe(true);
  });
});
