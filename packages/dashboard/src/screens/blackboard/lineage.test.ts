import { type EventDraft, emptyState, type FlockEvent, reduceAll } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { lineageOf } from "./lineage.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
const published = (artifact_id: string, run_id?: string): EventDraft => ({
  type: "artifact_published",
  artifact_id,
  artifact_type: "A",
  produced_by: run_id ?? "external",
  ...(run_id === undefined ? {} : { run_id }),
  correlation_id: "c",
  tags: [],
  visibility: { kind: "public" },
});
const ran = (run_id: string, consumed: string[], produced: string[]): EventDraft[] => [
  {
    type: "agent_execution_started",
    agent_id: run_id,
    run_id,
    correlation_id: "c",
    consumed_artifacts: consumed,
    attempt: 1,
  },
  ...produced.map((id) => published(id, run_id)),
  {
    type: "agent_execution_completed",
    agent_id: run_id,
    run_id,
    correlation_id: "c",
    duration_ms: 1,
    status: "success",
    produced_artifacts: produced,
  },
];
const stateOf = (events: readonly EventDraft[]) =>
  reduceAll(
    emptyState(),
    events.map((event, index) => ({ ...event, seq: index + 1, timestamp }) as FlockEvent),
  );

describe("lineage of an artifact", () => {
  const state = stateOf([
    published("idea"),
    ...ran("cook", ["idea"], ["pizza", "bill"]),
    ...ran("critic", ["pizza"], ["review"]),
    ...ran("archive", ["pizza"], []),
  ]);
  const stepsOf = (id: string) => Object.fromEntries(lineageOf(state, id).nodes.map(({ id, step }) => [id, step]));

  it("includes both directions, and runs that published nothing", () => {
    expect(stepsOf("pizza")).toEqual({ pizza: 0, idea: -1, review: 1, archive: 1 });
    expect(stepsOf("idea")).toEqual({ idea: 0, pizza: 1, bill: 1, review: 2, archive: 2 });
    expect(stepsOf("review")).toEqual({ review: 0, pizza: -1, idea: -2 });
  });

  it("has one run per step", () => {
    const { edges } = lineageOf(state, "pizza");
    expect(edges.map(({ from, to, run }) => `${from} ${run.agent_id} ${to}`)).toEqual([
      "idea cook pizza",
      "pizza critic review",
      "pizza archive archive",
    ]);
  });

  it("an unknown artifact is a single node", () => {
    expect(lineageOf(state, "gone").nodes).toEqual([{ id: "gone", kind: "artifact", step: 0, row: 0 }]);
  });
});

describe("cuts large lineages and reports it", () => {
  it("for long and wide chains", () => {
    const chain = stateOf([
      published("a0"),
      ...[...Array(9).keys()].flatMap((n) => ran(`r${n}`, [`a${n}`], [`a${n + 1}`])),
    ]);
    expect(lineageOf(chain, "a0").isCut).toBe(true);
    const wide = stateOf([
      published("a"),
      ...ran(
        "r",
        ["a"],
        [...Array(100).keys()].map((n) => `b${n}`),
      ),
    ]);
    const { nodes, isCut } = lineageOf(wide, "a");
    expect([nodes.length, isCut]).toEqual([60, true]);
  });

  it("terminates on loops", () => {
    const loop = stateOf([published("a"), ...ran("r", ["a"], ["b"]), ...ran("s", ["b"], ["a"])]);
    expect(lineageOf(loop, "b").nodes.length).toBe(2);
  });
});
