import { EVENT_TYPES, type EventOf } from "@flock/protocol";
import { describe, expect, it } from "vitest";
import { EVENT_TYPE_CHOICES, lineOf, textMatches } from "./event-line.ts";

const published: EventOf<"artifact_published"> = {
  type: "artifact_published",
  seq: 7,
  timestamp: "2026-01-01T00:00:00.000Z",
  artifact_id: "a1",
  artifact_type: "Pizza",
  produced_by: "chef",
  correlation_id: "c1",
  tags: ["hot"],
  visibility: { kind: "public" } as EventOf<"artifact_published">["visibility"],
  payload: { name: "Margherita" },
};

describe("every event type can be chosen", () => {
  it("in the protocol's own order", () => {
    expect(EVENT_TYPE_CHOICES).toEqual(EVENT_TYPES);
  });
});

describe("an event is found by what it says", () => {
  it("its line names its fields, payload included", () => {
    expect(lineOf(published)).toContain("artifact_type=Pizza produced_by=chef");
    expect(lineOf(published)).toContain('payload={"name":"Margherita"}');
  });

  it.for([
    ["", true],
    ["margherita", true],
    ["ARTIFACT_PUB", true],
    ["pineapple", false],
    ["chef", true],
  ] as const)("text %j: %j", ([text, expected]) => {
    expect(textMatches(published, text)).toBe(expected);
  });

  it("a stream's text shows its line ends, so that it stays one line", () => {
    const { artifact_id: _, ...base } = published;
    const event = { ...base, type: "streaming_output", agent_id: "chef", content: "a\nb" } as never;
    expect(lineOf(event)).toBe('chef "a\\nb"');
  });
});
