import { type EventDraft, emptyState, type FlockEvent, reduceAll } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { stepsInWords } from "./step-words.ts";
import { workflowOf } from "./workflow.ts";

const ms = (at: number) => new Date(1_700_000_000_000 + at).toISOString();
const START = 1_700_000_000_000;

/** A log of one workflow, with the time of each event in ms. */
function stateOf(happened: readonly (readonly [number, EventDraft])[]) {
  return reduceAll(
    emptyState(),
    happened.map(([at, event], index) => ({ ...event, seq: index + 1, timestamp: ms(at) }) as FlockEvent),
  );
}
const started = (run_id: string, consumed_artifacts: string[]): EventDraft => ({
  type: "agent_execution_started",
  agent_id: run_id,
  run_id,
  correlation_id: "c",
  consumed_artifacts,
  attempt: 1,
});
const ended = (
  run_id: string,
  status: "success" | "error" = "success",
  usage?: Record<string, number>,
): EventDraft => ({
  type: "agent_execution_completed",
  agent_id: run_id,
  run_id,
  correlation_id: "c",
  duration_ms: 1,
  status,
  produced_artifacts: [],
  ...(usage ? { usage } : {}),
});
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

/** Two readers of one article, one slow, and an editor that waits for both. */
const state = stateOf([
  [0, published("article")],
  [5, started("quick", ["article"])],
  [7, started("slow", ["article"])],
  [20, published("q", "quick")],
  [20, ended("quick", "success", { tokens: 3 })],
  [90, published("s", "slow")],
  [90, ended("slow", "error", { tokens: 4 })],
  [100, started("editor", ["q", "s"])],
]);
const workflow = workflowOf(state, "c", START + 150);
const bar = (agent: string) => workflow.bars.find(({ run }) => run.agent_id === agent);

describe("a bar shows the waits of a run", () => {
  it("at its gate, then in the queue, then it ran", () => {
    const { gateFrom, queuedFrom, startedAt, endedAt } = bar("editor") as NonNullable<ReturnType<typeof bar>>;
    expect([gateFrom, queuedFrom, startedAt, endedAt].map((at) => at - START)).toEqual([20, 90, 100, 150]);
    expect(bar("quick")).toMatchObject({ gateFrom: START, queuedFrom: START, startedAt: START + 5 });
  });

  it("the workflow starts with the first artifact, and ends with the last run or now", () => {
    expect([workflow.from - START, workflow.to - START]).toEqual([0, 150]);
    expect(workflow).toMatchObject({ artifacts: 3, failed: 1, running: 1, usage: { tokens: 7 } });
  });
});

describe("the critical path determines the end", () => {
  it("the slow run, not the fast one", () => {
    expect(workflow.bars.filter(({ isCritical }) => isCritical).map(({ run }) => run.agent_id)).toEqual([
      "slow",
      "editor",
    ]);
  });
});

describe("the flame view", () => {
  it("shows effects below causes, without overlaps in a line", () => {
    expect(workflow.bars.map(({ run, depth, lane }) => [run.agent_id, depth, lane])).toEqual([
      ["quick", 0, 0],
      ["slow", 0, 1],
      ["editor", 1, 2],
    ]);
    expect(workflow.lanes).toBe(3);
  });

  it("an unknown workflow is empty", () => {
    expect(workflowOf(state, "other", 0).bars).toEqual([]);
  });
});

describe("steps of a run", () => {
  const ids = (run_id: string) => ({ agent_id: run_id, run_id, correlation_id: "c" });
  const called = (run_id: string, step: number): EventDraft => ({
    type: "run_step_started",
    ...ids(run_id),
    step,
    kind: step === 0 ? "model" : "tool",
    name: `called ${step}`,
  });
  const answered = (run_id: string, step: number, duration_ms: number, status: "success" | "error"): EventDraft => ({
    type: "run_step_completed",
    ...ids(run_id),
    step,
    kind: step === 0 ? "model" : "tool",
    name: `called ${step}`,
    duration_ms,
    status,
  });
  /**
   * A chef that calls its model, then two tools at once, of which one is running; a waiter after it; and a chef that
   * crashed.
   */
  const busy = stateOf([
    [0, published("order")],
    [0, started("chef", ["order"])],
    [10, called("chef", 0)],
    [40, answered("chef", 0, 30, "success")],
    [40, called("chef", 1)],
    [50, called("chef", 2)],
    [60, answered("chef", 2, 10, "error")],
    [60, called("chef", 3)],
    [70, published("pizza", "chef")],
    [80, started("waiter", ["pizza"])],
    [80, called("waiter", 0)],
    [90, ended("waiter", "error")],
  ]);
  const { bars, lanes } = workflowOf(busy, "c", START + 100);
  const stepsOf = (agent: string) =>
    bars
      .find(({ run }) => run.agent_id === agent)
      ?.steps.map(({ step, startedAt, endedAt, lane }) => [step.step, startedAt - START, endedAt - START, lane]);

  it("are inside its bar, from start to end, or to now while running", () => {
    expect(stepsOf("chef")).toEqual([
      [0, 10, 40, 0],
      [1, 40, 100, 0],
      [2, 50, 60, 1],
      [3, 60, 100, 1],
    ]);
  });

  it("share the bar's height only with simultaneous steps", () => {
    expect(bars.find(({ run }) => run.agent_id === "chef")?.steps.map(({ lines }) => lines)).toEqual([1, 2, 2, 2]);
  });

  it("end with their run when their end was not reported", () => {
    expect(stepsOf("waiter")).toEqual([[0, 80, 90, 0]]);
  });

  it("have separate lines in the flame view, between their run and its effects", () => {
    expect(bars.map(({ run, lane }) => [run.agent_id, lane])).toEqual([
      ["chef", 0],
      ["waiter", 3],
    ]);
    expect(lanes).toBe(5);
  });

  it("are described in text", () => {
    expect(bars.map(({ steps }) => stepsInWords(steps))).toEqual([
      ["1 model call in 30 ms", "3 tool calls in 110 ms, 1 failed"],
      ["1 model call in 10 ms"],
    ]);
  });
});
