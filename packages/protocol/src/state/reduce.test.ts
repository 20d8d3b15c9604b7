import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EventOf,
  type EventType,
  emptyState,
  type FlockEvent,
  graphOf,
  LiveState,
  MAX_STEPS,
  PUBLIC,
  reduce,
  reduceAll,
  settleVisibility,
  topologyOf,
  VIEWER_LIMITS,
  type Visibility,
} from "../index.ts";
import { PersistentMap } from "./persistent-map.ts";

const at = (seq: number) => ({ seq, timestamp: new Date(1_700_000_000_000 + seq * 1000).toISOString() });

const run = (n: number) => `run-${n}`;
const agent = (n: number) => `agent-${n}`;

/** Events in any order but that of their seq, as a viewer that subscribes late can receive them. */
const events: fc.Arbitrary<FlockEvent[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom(
        "registered",
        "started",
        "completed",
        "streamed",
        "published",
        "gate",
        "stepBegun",
        "stepEnded",
      ),
      agent: fc.integer({ min: 0, max: 2 }),
      run: fc.integer({ min: 0, max: 5 }),
      text: fc.string({ maxLength: 5 }),
      offset: fc.integer({ min: 0, max: 10 }),
      ok: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((list) =>
    list.map((item, index): FlockEvent => {
      const who = { agent_id: agent(item.agent), run_id: run(item.run), correlation_id: "c" };
      switch (item.kind) {
        case "registered":
          return {
            ...at(index + 1),
            type: "agent_registered",
            agent_id: agent(item.agent),
            description: item.text,
            consumes: ["A"],
            publishes: ["B"],
          };
        case "started":
          return { ...at(index + 1), ...who, type: "agent_execution_started", consumed_artifacts: ["a"], attempt: 1 };
        case "completed":
          return {
            ...at(index + 1),
            ...who,
            type: "agent_execution_completed",
            duration_ms: 1,
            status: item.ok ? "success" : "error",
            produced_artifacts: [],
            ...(item.ok ? {} : { error: { name: "Error", message: item.text } }),
          };
        case "streamed":
          return {
            ...at(index + 1),
            ...who,
            type: "streaming_output",
            content: item.text,
            offset: item.offset,
            is_complete: item.ok,
            output_type: "text",
          };
        case "stepBegun":
          return { ...at(index + 1), ...who, type: "run_step_started", step: item.offset, kind: "model", name: "m" };
        case "stepEnded":
          return {
            ...at(index + 1),
            ...who,
            type: "run_step_completed",
            step: item.offset,
            kind: item.ok ? "model" : "tool",
            name: item.text,
            duration_ms: 1,
            status: item.ok ? "success" : "error",
          };
        case "gate":
          return {
            ...at(index + 1),
            type: "gate_progress",
            agent_id: agent(item.agent),
            gate: "0",
            correlation_id: "c",
            collected: { A: item.offset },
            required: { A: 5 },
          };
        default:
          return {
            ...at(index + 1),
            type: "artifact_published",
            artifact_id: `artifact-${index}`,
            artifact_type: "A",
            produced_by: "external",
            correlation_id: "c",
            tags: [],
            visibility: { kind: "public" },
            payload: {},
          };
      }
    }),
  );

const small = { runs: 2, artifacts: 3, gates: 2, streamCharacters: 8 };
const plain = (state: object) =>
  JSON.parse(
    JSON.stringify(state, (_, value) => (value instanceof Map || value instanceof PersistentMap ? [...value] : value)),
  );
const data = (state: ReturnType<typeof emptyState>) => {
  const { seq, agents, runs, artifacts, gates, nodes, edges } = state;
  return plain({ seq, agents, runs, artifacts, gates, nodes, edges });
};

describe("the steps of a run", () => {
  const who = { agent_id: "chef", run_id: "r", correlation_id: "c" };
  const larder = { ...who, kind: "tool", name: "larder" } as const;
  const began = (seq: number, step: number): FlockEvent => ({ ...at(seq), ...larder, type: "run_step_started", step });
  const ended = (seq: number, step: number): FlockEvent => ({
    ...at(seq),
    ...larder,
    type: "run_step_completed",
    step,
    duration_ms: 1_000,
    status: "success",
    usage: { tokens: 2 },
  });
  const start: FlockEvent = { ...at(1), ...who, type: "agent_execution_started", consumed_artifacts: [], attempt: 1 };
  const end: FlockEvent = {
    ...at(90_000),
    ...who,
    type: "agent_execution_completed",
    duration_ms: 1,
    status: "interrupted",
    produced_artifacts: [],
  };
  const runAfter = (...list: FlockEvent[]) => reduceAll(emptyState(), [start, ...list]).runs.get("r");

  it("are ordered by index, each once, for any order of starts and ends", () => {
    fc.assert(
      fc.property(events, (list) => {
        for (const { steps = [] } of reduceAll(emptyState(), list).runs.values()) {
          const numbers = steps.map(({ step }) => step);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        }
      }),
    );
  });

  it("run until they end, or until their run ends", () => {
    expect(runAfter(began(2, 0), began(3, 1), ended(4, 0))?.steps).toMatchObject([
      { step: 0, status: "success", started_at: at(2).timestamp, ended_at: at(4).timestamp, usage: { tokens: 2 } },
      { step: 1, status: "running", started_at: at(3).timestamp },
    ]);
    expect(runAfter(began(2, 0), end)?.steps).toEqual([
      {
        step: 0,
        kind: "tool",
        name: "larder",
        status: "cancelled",
        started_at: at(2).timestamp,
        ended_at: end.timestamp,
      },
    ]);
    fc.assert(
      fc.property(events, (list) => {
        for (const { status, steps = [] } of reduceAll(emptyState(), list).runs.values())
          if (status !== "running") expect(steps.filter((step) => step.status === "running")).toEqual([]);
      }),
    );
  });

  it("get a start time from their duration if the viewer missed the start", () => {
    expect(runAfter(ended(10, 3))?.steps).toMatchObject([{ step: 3, started_at: at(9).timestamp }]);
  });

  it("are retained up to a limit, newest first, and dropped ones are counted", () => {
    const many = Array.from({ length: MAX_STEPS + 50 }, (_, step) => [
      began(2 + 2 * step, step),
      ended(3 + 2 * step, step),
    ]);
    const run = runAfter(...many.flat());
    expect(run?.steps_dropped).toBe(50);
    expect(run?.steps?.map(({ step }) => step)).toEqual(Array.from({ length: MAX_STEPS }, (_, i) => i + 50));
  });

  it("are not retained if runs are not", () => {
    const state = reduceAll(emptyState(), [start, began(2, 0)], { ...small, runs: 0 });
    expect(state.runs.get("r")).not.toHaveProperty("steps");
  });
});

describe("one reducer: state = reduce(state, event)", () => {
  it("returns the same state event by event, in any batches, and in place", () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(small, VIEWER_LIMITS),
        (list, size, limits) => {
          const oneByOne = list.reduce((state, event) => reduce(state, event, limits), emptyState());
          let batched = emptyState();
          for (let i = 0; i < list.length; i += size) batched = reduceAll(batched, list.slice(i, i + size), limits);
          const live = new LiveState(limits);
          for (const event of list) live.apply(event);
          expect(data(batched)).toEqual(data(oneByOne));
          expect(data(live.current)).toEqual(data(oneByOne));
        },
      ),
    );
  });

  it("does not change the given state", () => {
    fc.assert(
      fc.property(events, fc.nat(), (list, cut) => {
        const middle = list.length === 0 ? 0 : cut % list.length;
        const before = reduceAll(emptyState(), list.slice(0, middle));
        const picture = JSON.stringify(plain(before));
        reduceAll(before, list.slice(middle));
        expect(JSON.stringify(plain(before))).toBe(picture);
      }),
    );
  });

  it("ignores an event that it has already folded", () => {
    fc.assert(
      fc.property(events, (list) => {
        const once = reduceAll(emptyState(), list);
        expect(reduceAll(once, list)).toBe(once);
      }),
    );
  });

  it("stays within its limits, but never evicts a run in progress", () => {
    fc.assert(
      fc.property(events, (list) => {
        const state = reduceAll(emptyState(), list, small);
        const running = [...state.runs.values()].filter((one) => one.status === "running").length;
        expect(state.runs.size).toBeLessThanOrEqual(small.runs + running);
        expect(state.artifacts.size).toBeLessThanOrEqual(small.artifacts);
        for (const one of state.runs.values()) {
          expect(one.stream?.text.length ?? 0).toBeLessThanOrEqual(small.streamCharacters * 2 + 5);
        }
      }),
    );
  });
});

describe("streams", () => {
  const started: FlockEvent = {
    ...at(1),
    type: "agent_execution_started",
    agent_id: "a",
    run_id: "r",
    correlation_id: "c",
    consumed_artifacts: [],
    attempt: 1,
  };
  const piece = (seq: number, offset: number, content: string): FlockEvent => ({
    ...at(seq),
    type: "streaming_output",
    agent_id: "a",
    run_id: "r",
    correlation_id: "c",
    content,
    offset,
    is_complete: false,
    output_type: "text",
  });

  it("concatenate chunks without repeated text", () => {
    const state = reduceAll(emptyState(), [started, piece(2, 0, "hello "), piece(3, 3, "lo wor"), piece(4, 9, "ld")]);
    expect(state.runs.get("r")?.stream).toMatchObject({ text: "hello world", length: 11, broken: false });
  });

  it("are marked broken if a chunk is missing", () => {
    const state = reduceAll(emptyState(), [started, piece(2, 0, "hello "), piece(4, 9, "ld")]);
    expect(state.runs.get("r")?.stream).toMatchObject({ broken: true, length: 11 });
  });
});

describe("the progress of a gate", () => {
  const progress = (seq: number, key: string | undefined, collected: number, more: object = {}): FlockEvent => ({
    ...at(seq),
    type: "gate_progress",
    agent_id: "a",
    gate: "0",
    correlation_id: "c",
    ...(key === undefined ? {} : { key }),
    collected: { A: collected, B: 0 },
    required: { A: 2, B: 1 },
    ...more,
  });

  it("exists for each key until the gate is complete or empty", () => {
    const open = reduceAll(emptyState(), [
      progress(1, "x", 2, { expires_at: "2026-01-01T00:00:00Z" }),
      progress(2, "y", 1),
      progress(3, undefined, 1),
    ]);
    expect([...open.gates.values()].map(({ key }) => key)).toEqual(["x", "y", undefined]);
    const later = reduceAll(open, [
      progress(4, "x", 1, { dropped: 1, reason: "expired" }),
      progress(5, "y", 0, { dropped: 1, reason: "full" }),
      progress(6, undefined, 0),
    ]);
    expect([...later.gates.values()]).toMatchObject([{ key: "x", collected: { A: 1 }, dropped: 1 }]);
  });
});

describe("dispatch", () => {
  const who = { agent_id: "a", run_id: "r", correlation_id: "c" };
  const step = { ...who, step: 0, kind: "tool", name: "t" } as const;
  type Sample = {
    [T in EventType]: readonly [event: Omit<EventOf<T>, "seq" | "timestamp">, changes: readonly string[]];
  };
  /** One event of each type, and the parts of a state with a running run "r" that it changes besides `seq`. */
  const samples: Sample = {
    agent_execution_started: [
      { ...who, type: "agent_execution_started", consumed_artifacts: [], attempt: 2 },
      ["agents", "runs"],
    ],
    agent_execution_completed: [
      { ...who, type: "agent_execution_completed", duration_ms: 1, status: "success", produced_artifacts: [] },
      ["agents", "runs"],
    ],
    streaming_output: [
      { ...who, type: "streaming_output", content: "x", offset: 0, is_complete: false, output_type: "text" },
      ["runs"],
    ],
    run_step_started: [{ ...step, type: "run_step_started" }, ["runs"]],
    run_step_completed: [{ ...step, type: "run_step_completed", duration_ms: 1, status: "success" }, ["runs"]],
    artifact_published: [
      {
        type: "artifact_published",
        artifact_id: "x",
        artifact_type: "A",
        produced_by: "a",
        run_id: "r",
        correlation_id: "c",
        tags: [],
        visibility: PUBLIC,
        payload: 1,
      },
      ["agents", "artifacts"],
    ],
    graph_updated: [{ type: "graph_updated", nodes: [], edges: [] }, ["edges", "nodes"]],
    agent_registered: [
      { type: "agent_registered", agent_id: "a", description: "d", consumes: ["A"], publishes: [] },
      ["agents"],
    ],
    gate_progress: [
      { type: "gate_progress", agent_id: "a", gate: "0", correlation_id: "c", collected: { A: 1 }, required: { A: 2 } },
      ["gates"],
    ],
    question_closed: [{ ...who, type: "question_closed", question_id: "q", status: "answered" }, []],
    dead_letter_closed: [
      { type: "dead_letter_closed", activation_id: "r", agent_id: "a", correlation_id: "c", status: "discarded" },
      [],
    ],
    agent_paused: [{ type: "agent_paused", agent_id: "a" }, ["agents"]],
    agent_resumed: [{ type: "agent_resumed", agent_id: "a" }, ["agents"]],
    agent_queue_changed: [{ type: "agent_queue_changed", agent_id: "a", queued: 1 }, ["agents"]],
    agent_circuit_changed: [{ type: "agent_circuit_changed", agent_id: "a", state: "open" }, ["agents"]],
  };
  const before = reduce(emptyState(), {
    ...at(1),
    ...who,
    type: "agent_execution_started",
    consumed_artifacts: [],
    attempt: 1,
  });

  it.for(Object.entries(samples))("folds %s into the parts it concerns", ([, [event, changes]]) => {
    const after = reduce(before, { ...event, ...at(2) } as FlockEvent);
    const changed = Object.keys(after).filter((part) => after[part as keyof typeof after] !== before[part as never]);
    expect(changed.sort()).toEqual([...changes, "seq"].sort());
    expect(after.seq).toBe(2);
  });

  it("lets an unknown event type of a newer server advance seq only", () => {
    for (const type of ["tomorrow", "constructor", "__proto__"]) {
      expect(reduce(before, { ...at(2), type } as never)).toEqual({ ...before, seq: 2 });
    }
  });

  it("keeps the failures of an open circuit while it is half open, and drops them when it closes", () => {
    const circuit = (seq: number, more: object) =>
      ({ ...at(seq), type: "agent_circuit_changed", agent_id: "a", ...more }) as FlockEvent;
    const open = reduce(before, circuit(2, { state: "open", failures: 3, retry_at: at(9).timestamp }));
    expect(open.agents.get("a")?.circuit).toEqual({ state: "open", failures: 3, retry_at: at(9).timestamp });
    const halfOpen = reduce(open, circuit(3, { state: "half_open" }));
    expect(halfOpen.agents.get("a")?.circuit).toEqual({ state: "half_open", failures: 3 });
    expect(reduce(halfOpen, circuit(4, { state: "closed" })).agents.get("a")).not.toHaveProperty("circuit");
  });

  it("clears the queue length of an agent that is resumed", () => {
    const about = { agent_id: "a" };
    const paused = reduceAll(before, [
      { ...at(2), ...about, type: "agent_paused" },
      { ...at(3), ...about, type: "agent_queue_changed", queued: 4 },
    ]);
    expect(paused.agents.get("a")).toMatchObject({ paused: true, queued: 4 });
    const resumed = reduce(paused, { ...at(4), ...about, type: "agent_resumed" }).agents.get("a");
    expect(resumed).not.toHaveProperty("paused");
    expect(resumed).not.toHaveProperty("queued");
  });
});

describe("the graph of a state", () => {
  it("connects producers and consumers of a type, and adds the external node for types that no agent publishes", () => {
    const declare = (agent_id: string, consumes: string[], publishes: string[]) => ({ agent_id, consumes, publishes });
    const topology = topologyOf([declare("chef", ["Idea"], ["Pizza"]), declare("critic", ["Pizza"], [])]);
    const graph = graphOf(reduceAll(emptyState(), [{ ...at(2), type: "graph_updated", ...topology }]));
    expect(graph.nodes.map(({ id }) => id)).toEqual(["external", "chef", "critic"]);
    expect(graph.edges.map(({ source, target, artifact_type }) => `${source} -${artifact_type}-> ${target}`)).toEqual([
      "external -Idea-> chef",
      "chef -Pizza-> critic",
    ]);
    expect(graph.seq).toBe(2);
  });
});

describe("a restricted artifact", () => {
  const run = { agent_id: "a", run_id: "r", correlation_id: "c" };
  const later = settleVisibility({ kind: "after", ttl_ms: 1 }, 0);
  const published = (seq: number, visibility: Visibility): EventOf<"artifact_published"> => {
    const about = { artifact_id: "x", artifact_type: "A", produced_by: "a", run_id: "r", correlation_id: "c" };
    return { type: "artifact_published", ...at(seq), ...about, tags: [], visibility, payload: seq };
  };
  const begun: FlockEvent = { type: "agent_execution_started", ...at(1), ...run, consumed_artifacts: [], attempt: 1 };
  const ended: FlockEvent = {
    type: "agent_execution_completed",
    ...at(3),
    ...run,
    duration_ms: 1,
    status: "success",
    produced_artifacts: [],
  };

  it("belongs to its run and is counted, although the end of the run omits it", () => {
    const state = reduceAll(emptyState(), [begun, published(2, later), ended]);
    expect(state.runs.get("r")).toMatchObject({ status: "success", produced: ["x"] });
    expect(state.agents.get("a")?.counters.published).toBe(1);
  });

  it("keeps its place when it is revealed to viewers that knew it, and is new to others", () => {
    const revealed = { ...published(4, PUBLIC), revealed: true as const };
    const owner = reduceAll(emptyState(), [begun, published(2, later), ended, revealed]);
    expect(owner.artifacts.get("x")).toEqual({ ...published(2, later), visibility: PUBLIC });
    expect(owner.agents.get("a")?.counters.published).toBe(1);
    const other = reduceAll(emptyState(), [begun, ended, revealed]);
    expect(other.artifacts.get("x")).toEqual(revealed);
    expect(other.agents.get("a")?.counters.published).toBe(1);
  });
});
