import type { ArtifactState, EventOf, FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timeline } from "./timeline.ts";
import { trimArtifact } from "./trim.ts";

const TEXT = "Once upon a time there was a very long text about pizza. ".repeat(20);

function published(
  seq: number,
  payload: unknown = { title: `Chapter ${seq}`, text: TEXT },
): EventOf<"artifact_published"> {
  return {
    seq,
    timestamp: new Date(1_700_000_000_000 + seq).toISOString(),
    type: "artifact_published",
    artifact_id: `artifact-${seq}`,
    artifact_type: "Chapter",
    produced_by: "external",
    correlation_id: "c",
    tags: [],
    visibility: { kind: "public" },
    payload,
  };
}

/** A run that writes one text and ends: three events. */
function run(seq: number): FlockEvent[] {
  const ids = { agent_id: "writer", run_id: `run-${seq}`, correlation_id: "c" };
  const at = (offset: number) => ({ seq: seq + offset, timestamp: new Date(1_700_000_000_000 + seq).toISOString() });
  return [
    { ...at(0), ...ids, type: "agent_execution_started", consumed_artifacts: [], attempt: 1 },
    {
      ...at(1),
      ...ids,
      type: "streaming_output",
      content: TEXT.repeat(4),
      offset: 0,
      is_complete: true,
      output_type: "text",
    },
    { ...at(2), ...ids, type: "agent_execution_completed", duration_ms: 1, status: "success", produced_artifacts: [] },
  ];
}

describe("a tab's memory is limited, with events of any size", () => {
  it("evicts large events earlier and keeps their artifacts and runs with trimmed content", () => {
    const timeline = new Timeline({ kept: 1_000, text: 100_000, spacing: 20 });
    const all: FlockEvent[] = [];
    for (let seq = 1; seq <= 600; seq += 4) all.push(published(seq), ...run(seq + 1));
    for (const event of all) timeline.append([event]);
    expect(timeline.weight).toBeLessThan(120_000);
    expect(timeline.log().length).toBeLessThan(150);
    expect(timeline.from).toBe(timeline.log().at(0)?.seq);
    const { artifacts, runs } = timeline.head;
    expect(artifacts.size).toBe(150);
    expect(artifacts.get("artifact-1")).toMatchObject({ payload: "Chapter 1", payload_bytes: expect.any(Number) });
    expect(artifacts.get("artifact-597")).toEqual(published(597));
    const [old, young] = [runs.get("run-2")?.stream, runs.get("run-598")?.stream];
    expect(old?.length).toBe(young?.length);
    expect(young?.text).toBe(TEXT.repeat(4));
    expect(young?.text.endsWith(old?.text as string)).toBe(true);
    expect(old?.text.length).toBeLessThan(2_001);
    // Events in the log are complete, and so are earlier states.
    const { from } = timeline;
    expect([...timeline.at(from).runs.keys()]).toEqual(
      [...timeline.head.runs.keys()].filter((id) => Number(id.slice(4)) <= from),
    );
    expect(
      timeline
        .log()
        .slice(0)
        .filter((event) => event.type === "artifact_published" && event.payload_bytes),
    ).toEqual([]);
  });

  it("reports from where on it is complete, also after a larger claim", () => {
    const timeline = new Timeline({ kept: 1_000, text: 60_000, spacing: 20 });
    for (let seq = 1; seq <= 200; seq++) timeline.append([published(seq)]);
    timeline.reaches(1);
    expect(timeline.from).toBe(timeline.log().at(0)?.seq);
  });

  it("does not trim a small artifact", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const artifact: ArtifactState = published(1, payload);
        trimArtifact(artifact);
        trimArtifact(artifact);
        if (artifact.payload_bytes === undefined) expect(artifact).toEqual(published(1, payload));
        else expect(artifact.payload_bytes).toBe(JSON.stringify(payload).length);
      }),
    );
  });
});
