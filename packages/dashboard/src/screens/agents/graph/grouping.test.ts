import { topologyOf } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { drawnGraph } from "./grouping.ts";

const { nodes, edges } = topologyOf([
  { agent_id: "a1", consumes: ["Idea"], publishes: ["Pizza"] },
  { agent_id: "a2", consumes: ["Idea"], publishes: ["Pizza"] },
  { agent_id: "critic", consumes: ["Pizza"], publishes: [] },
]);

describe("a graph of many agents", () => {
  it("has no groups up to the limit", () => {
    expect(drawnGraph(nodes, edges, { many: 4 }).nodes.map(({ id }) => id)).toEqual(["external", "a1", "a2", "critic"]);
  });

  it("beyond the limit, merges agents with the same inputs and outputs, and their lines", () => {
    const drawn = drawnGraph(nodes, edges, { many: 3 });
    expect(drawn.nodes.map(({ node, members }) => [node.label, members])).toEqual([
      ["external", ["external"]],
      ["2 agents", ["a1", "a2"]],
      ["critic", ["critic"]],
    ]);
    expect(drawn.edges.length).toBe(2);
    expect(
      drawn.edges.every(({ source, target }) =>
        [source, target].every((id) => drawn.nodes.some((node) => node.id === id)),
      ),
    ).toBe(true);
  });

  it("an open group keeps its lines and shows its agents", () => {
    const closed = drawnGraph(nodes, edges, { many: 3 });
    const { frames, ...rest } = drawnGraph(nodes, edges, { many: 3, open: new Set(["a1", "unknown"]) });
    expect({ ...rest, frames: [] }).toEqual(closed);
    expect(frames.map(({ of, members }) => [of.group, members.map(({ id }) => id)])).toEqual([["a1", ["a1", "a2"]]]);
  });
});
