import type { EventOf } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

/**
 * Returns everything that one published idea causes, as one client receives it. Each message is checked against its
 * schema.
 */
async function watched(description: string) {
  await using server = await startServer({ flock: pizzeria() });
  const client = await server.connect("/plugin/ws?since=0");
  await client.next("caught_up");
  const { correlationId } = await server.flock.publish(Idea({ description }));
  await client.next("agent_execution_completed");
  await client.close();
  const first = <T extends EventOf<never>["type"] | string>(type: T) =>
    client.events.find((event) => event.type === type) as Record<string, unknown> | undefined;
  return { events: client.events, first, correlationId };
}

const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("Event Types", () => {
  it("the start and end of a run report agent, run, time, duration and status", async () => {
    const { first } = await watched("truffle");
    const started = first("agent_execution_started");
    expect(started).toMatchObject({ agent_id: "pizza_master", run_id: expect.any(String) });
    expect(started?.timestamp).toMatch(UTC);
    expect(first("agent_execution_completed")).toMatchObject({
      agent_id: "pizza_master",
      run_id: started?.run_id,
      duration_ms: expect.any(Number),
      status: "success",
    });
  });

  it("a failed run reports its error", async () => {
    const { first } = await watched("pineapple");
    expect(first("agent_execution_completed")).toMatchObject({
      status: "error",
      error: { name: "RangeError", message: "not on my pizza" },
    });
  });

  it("streamed output arrives in chunks, the last one marked complete", async () => {
    const { events } = await watched("truffle");
    const pieces = events.filter((event) => event.type === "streaming_output");
    expect(pieces.map(({ content }) => content).join("")).toBe("Thinking about truffle");
    expect(pieces.map(({ is_complete }) => is_complete)).toEqual([...pieces.slice(1).map(() => false), true]);
    let offset = 0;
    for (const piece of pieces) {
      expect(piece).toMatchObject({ agent_id: "pizza_master", offset });
      offset += piece.content.length;
    }
  });

  it("an artifact reports its id, type, producer and workflow", async () => {
    const { events, correlationId } = await watched("truffle");
    const artifacts = events.filter((event) => event.type === "artifact_published");
    expect(artifacts).toMatchObject([
      { artifact_type: "Idea", produced_by: "external", correlation_id: correlationId },
      {
        artifact_type: "Pizza",
        produced_by: "pizza_master",
        correlation_id: correlationId,
        artifact_id: expect.any(String),
      },
    ]);
  });

  it("the graph reports its nodes and edges", async () => {
    const { first } = await watched("truffle");
    expect(first("graph_updated")).toMatchObject({
      nodes: [{ id: "external" }, { id: "pizza_master", type: "agent" }],
      edges: [{ source: "external", target: "pizza_master", artifact_type: "Idea" }],
    });
  });
});
