import {
  type EventDraft,
  emptyState,
  type FlockEvent,
  type FlockState,
  type GraphSnapshot,
  graphOf,
  reduceAll,
} from "@flock/protocol";
import { describe, expect, it } from "vitest";
import { afterGap, endsUnknownRun, foldWithSnapshot } from "./snapshot.ts";

const timestamp = "2026-01-01T00:00:00.000Z";

/** A log in which one agent is declared and makes some runs, one after the other. */
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
const countersOf = (state: FlockState) => state.agents.get("chef")?.counters;
const snapshotAt = (seq: number): GraphSnapshot => graphOf(reduceAll(emptyState(), log.slice(0, seq)));

describe("every event is counted once, by the server's snapshot or by the fold", () => {
  it.for([12, 13, 15, 16, 17, 22])(
    "a viewer who came when the first 10 events were gone, with a snapshot at %i while it stood at 12",
    (seq) => {
      const late = reduceAll(emptyState(), log.slice(10, 12));
      const first = foldWithSnapshot(late, log.slice(12, 16), snapshotAt(seq));
      const second = foldWithSnapshot(first.state, log.slice(16), first.snapshot);
      expect(second.snapshot).toBeNull();
      expect(countersOf(second.state)).toEqual(countersOf(reduceAll(emptyState(), log)));
      expect(second.state.nodes).toEqual(snapshotAt(seq).nodes);
    },
  );

  it("a snapshot waits until the fold has come to where it stands", () => {
    const snapshot = snapshotAt(20);
    const { state, snapshot: waiting } = foldWithSnapshot(emptyState(), log.slice(10, 15), snapshot);
    expect(waiting).toBe(snapshot);
    expect(state.seq).toBe(15);
  });

  it("it is taken in at once by who stands there already", () => {
    const state = reduceAll(emptyState(), log.slice(10));
    expect(countersOf(foldWithSnapshot(state, [], snapshotAt(log.length)).state)?.started).toBe(10);
  });
});

describe("what nobody here can know is not claimed", () => {
  it("after a gap no run is said to be still running", () => {
    const state = afterGap(reduceAll(emptyState(), log.slice(0, 5)));
    expect([...state.runs.values()].map(({ status }) => status)).toEqual(["success"]);
  });

  it("the end of a run that began before everything we have seen is noticed", () => {
    expect(endsUnknownRun(emptyState(), log.slice(3, 5))).toBe(true);
  });

  it("the end of a run whose beginning we have seen is not, in the same batch or an earlier one", () => {
    expect(endsUnknownRun(emptyState(), log)).toBe(false);
    expect(endsUnknownRun(reduceAll(emptyState(), log.slice(0, 3)), log.slice(3, 4))).toBe(false);
  });
});
