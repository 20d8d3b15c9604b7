import type { EventOf } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { Idea, pizzeria } from "../support/pizzeria.ts";
import { startServer } from "../support/server.ts";

/** Returns all events that one published idea causes for one client. Each message is validated against its schema. */
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
  it("reports agent, run, time, duration and status of a run", async () => {
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

  it("reports the error of a failed run", async () => {
    const { first } = await watched("pineapple");
    expect(first("agent_execution_completed")).toMatchObject({
      status: "error",
      error: { name: "RangeError", message: "not on my pizza" },
    });
  });

  it("streams output in chunks that add up to the whole, the last one complete", async () => {
    const { events } = await watched("truffle");
    const chunks = events.filter((event) => event.type === "streaming_output");
    expect(chunks.map(({ content }) => content).join("")).toBe("Thinking about truffle");
    expect(chunks.map(({ is_complete }) => is_complete)).toEqual([...chunks.slice(1).map(() => false), true]);
    let offset = 0;
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ agent_id: "pizza_master", offset });
      offset += chunk.content.length;
    }
  });

  it("reports id, type, producer and workflow of an artifact", async () => {
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

  it("reports nodes and edges of the graph", async () => {
    const { first } = await watched("truffle");
    expect(first("graph_updated")).toMatchObject({
      nodes: [{ id: "external" }, { id: "pizza_master", type: "agent" }],
      edges: [{ source: "external", target: "pizza_master", artifact_type: "Idea" }],
    });
  });
});
