import { type EventDraft, emptyState, type FlockEvent, graphOf, reduceAll } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { afterGap, baseOf, endsUnknownRun, withGraph } from "./baseline.ts";

const timestamp = "2026-01-01T00:00:00.000Z";

/** A log in which one agent is registered and makes some runs in sequence. */
function logOf(runs: number): FlockEvent[] {
  const events: EventDraft[] = [
    { type: "agent_registered", agent_id: "chef", description: "Cooks", consumes: ["Idea"], publishes: ["Pizza"] },
    {
      type: "graph_updated",
      nodes: [{ id: "chef", type: "agent", label: "chef", consumes: ["Idea"], publishes: ["Pizza"] }],
      edges: [],
    },
  ];
  for (let run = 0; run < runs; run++) {
    const ids = { agent_id: "chef", run_id: `run-${run}`, correlation_id: "c" };
    events.push({ type: "agent_execution_started", ...ids, consumed_artifacts: ["a"], attempt: 1 });
    events.push({
      type: "agent_execution_completed",
      ...ids,
      duration_ms: 5,
      status: "success",
      produced_artifacts: ["b"],
    });
  }
  return events.map((event, index) => ({ ...event, seq: index + 1, timestamp }) as FlockEvent);
}

const log = logOf(10);

describe("unknown state", () => {
  it("no run counts as running after a gap", () => {
    const state = afterGap(reduceAll(emptyState(), log.slice(0, 5)));
    expect([...state.runs.values()].map(({ status }) => status)).toEqual(["success"]);
  });

  it("detects the end of a run that started before all known events", () => {
    expect(endsUnknownRun(emptyState(), log.slice(3, 5))).toBe(true);
  });

  it("does not report a run whose start is known, in the same or an earlier batch", () => {
    expect(endsUnknownRun(emptyState(), log)).toBe(false);
    expect(endsUnknownRun(reduceAll(emptyState(), log.slice(0, 3)), log.slice(3, 4))).toBe(false);
  });
});

describe("agent state from the server besides counters", () => {
  const event = (type: "agent_paused" | "agent_resumed", seq: number) =>
    ({ type, agent_id: "chef", seq, timestamp }) as FlockEvent;
  const before = reduceAll(emptyState(), log);

  it("applies to an agent paused before all known events", () => {
    const graph = graphOf(reduceAll(before, [event("agent_paused", 50)]));
    expect(withGraph(emptyState(), graph).agents.get("chef")).toMatchObject({ paused: true });
    expect(baseOf(emptyState(), emptyState(), graph).agents.get("chef")).toMatchObject({ paused: true });
  });

  it("does not apply before a known event that reports it", () => {
    const folded = reduceAll(before, [event("agent_paused", 50)]);
    expect(baseOf(before, folded, graphOf(folded)).agents.get("chef")).not.toHaveProperty("paused");
  });

  it("does not apply when the agent resumed in a gap", () => {
    const paused = reduceAll(before, [event("agent_paused", 50)]);
    expect(withGraph(paused, graphOf(before)).agents.get("chef")).not.toHaveProperty("paused");
  });
});
