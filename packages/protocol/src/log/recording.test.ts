import { describe, expect, it } from "vitest";
import { outputAt } from "../../sample-events.ts";
import { formatRecording, parseRecording } from "./recording.ts";

const head = { epoch: "one", from_seq: 1, to_seq: 2, graph: { nodes: [], edges: [], seq: 0 } };

describe("a recording", () => {
  it("reads what it wrote, with one JSON document per line", () => {
    const events = [outputAt(1), outputAt(2, { content: "two\nlines" })];
    const text = formatRecording(head, events);
    expect(text.trimEnd().split("\n")).toHaveLength(3);
    expect(parseRecording(text)).toEqual({ head: { type: "flock_events", version: 1, ...head }, events });
  });

  it("reads events of another program: without a first line, unordered, with empty lines", () => {
    const text = `\n${JSON.stringify(outputAt(2))}\n\n${JSON.stringify(outputAt(1))}\n`;
    const { head, events } = parseRecording(text);
    expect(head).toBeUndefined();
    expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it.for([
    ["{", "line 1 is not JSON"],
    ["null", "line 1 is not an event"],
    [`${JSON.stringify(outputAt(1))}\n{"seq":"2","type":"x"}`, "line 2 is not an event"],
    ['{"seq":1}', "line 1 is not an event"],
    ["\n\n", "there is no event in this file"],
    ['{"type":"flock_events"}', "there is no event in this file"],
  ] as const)("rejects %j: %s", ([text, message]) => {
    expect(() => parseRecording(text)).toThrow(message);
  });
});
