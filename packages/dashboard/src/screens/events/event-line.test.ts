import { EVENT_TYPES, type EventOf, type FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { EVENT_TYPE_CHOICES, lineOf, textMatches } from "./event-line.ts";

const at = { seq: 7, timestamp: "2026-01-01T00:00:00.000Z" };
const run = { agent_id: "chef", run_id: "019-run", correlation_id: "019-workflow" };

const published: EventOf<"artifact_published"> = {
  ...at,
  type: "artifact_published",
  artifact_id: "019-artifact",
  artifact_type: "Pizza",
  produced_by: "chef",
  correlation_id: "019-workflow",
  tags: ["hot"],
  visibility: { kind: "public" } as EventOf<"artifact_published">["visibility"],
  payload: { name: "Margherita", oven: "stone" },
};

const ended = { ...at, ...run, type: "agent_execution_completed" as const, duration_ms: 3_400, produced_artifacts: [] };
const gate = { collected: { Idea: 1 }, required: { Idea: 1, Order: 2 }, gate: "0", correlation_id: "c" };

/** The line as text. */
function read(event: FlockEvent): string {
  const types: Readonly<Record<string, string>> = { i1: "Idea", i2: "Idea", o1: "Order" };
  const { actor, action, details } = lineOf(event, (id) => types[id]);
  return [actor, action, details].filter(Boolean).join(" · ");
}

describe("the filter offers every event type", () => {
  it("in the order of the protocol", () => {
    expect(EVENT_TYPE_CHOICES).toEqual(EVENT_TYPES);
  });
});

describe("an event reads as a sentence, without ids", () => {
  it.for<[FlockEvent, string]>([
    [published, "chef · published Pizza · Margherita"],
    [{ ...published, payload: undefined, payload_bytes: 2_500_000 }, "chef · published Pizza · 2.5 MB"],
    [
      { ...at, ...run, type: "agent_execution_started", consumed_artifacts: ["i1", "i2", "o1"], attempt: 1 },
      "chef · started · with 2 × Idea and Order",
    ],
    [
      { ...at, ...run, type: "agent_execution_started", consumed_artifacts: ["gone", "gone too"], attempt: 2 },
      "chef · started, attempt 2 · with 2 artifacts",
    ],
    [{ ...ended, status: "success", produced_artifacts: ["o1"] }, "chef · ended: success in 3.4 s · → Order"],
    [
      { ...ended, status: "error", error: { name: "RangeError", message: "too hot" } },
      "chef · ended: error after 3.4 s · RangeError: too hot",
    ],
    [
      { ...at, ...run, type: "streaming_output", content: "a\nb", is_complete: false, offset: 0, output_type: "text" },
      'chef · wrote · "a\\nb"',
    ],
    [
      { ...at, ...run, type: "streaming_output", content: "", is_complete: true, offset: 3, output_type: "text" },
      "chef · finished its output",
    ],
    [
      { ...at, ...run, type: "run_step_started", step: 0, kind: "model", name: "gpt-4.1" },
      "chef · called its model · gpt-4.1",
    ],
    [
      {
        ...at,
        ...run,
        type: "run_step_completed",
        step: 1,
        kind: "tool",
        name: "larder",
        status: "error",
        duration_ms: 12,
        error: { name: "RangeError", message: "no such shelf" },
      },
      "chef · tool call ended: error after 12 ms · larder, RangeError: no such shelf",
    ],
    [{ ...at, type: "gate_progress", agent_id: "waiter", ...gate }, "waiter · collected · Idea 1/1, Order 0/2"],
    [
      { ...at, type: "gate_progress", agent_id: "waiter", ...gate, dropped: 3, reason: "expired" },
      "waiter · dropped 3, expired · Idea 1/1, Order 0/2",
    ],
    [
      { ...at, type: "agent_registered", agent_id: "chef", description: "", consumes: ["Idea"], publishes: [] },
      "chef · registered · Idea → nothing",
    ],
    [{ ...at, type: "graph_updated", nodes: [], edges: [] }, "Graph changed · 0 nodes, 0 edges"],
    [{ ...at, type: "agent_paused", agent_id: "chef" }, "chef · paused"],
    [{ ...at, type: "agent_queue_changed", agent_id: "chef", queued: 1 }, "chef · is paused · 1 run queued"],
    [
      { ...at, ...run, type: "question_closed", question_id: "q", status: "expired" },
      "chef · requested human input · expired",
    ],
    [{ ...at, type: "moon_rose" } as unknown as FlockEvent, "moon rose"],
  ])("%j", ([event, line]) => {
    expect(read(event)).toBe(line);
  });
});

describe("searches the text of an event", () => {
  it.for([
    ["", true],
    ["margherita", true],
    ["ARTIFACT_PUB", true],
    ["published pizza", true],
    ["019-artifact", true],
    ["019-workflow", true],
    ["stone", true],
    ["pineapple", false],
    ["chef", true],
  ] as const)("text %j: %j", ([text, expected]) => {
    expect(textMatches(published, text)).toBe(expected);
  });
});
