/** Event handlers for runs, their steps and their streamed output. */
import { overlapOf } from "../log/stream-cutter.ts";
import type { EventOf } from "../wire/events.ts";
import { type Draft, evictOldest, type Writable } from "./draft.ts";
import { MAX_STEPS, type RunState, type StateLimits, type StepState } from "./state.ts";

export function runStarted(draft: Draft, event: EventOf<"agent_execution_started">): void {
  const run: Writable<RunState> = {
    run_id: event.run_id,
    agent_id: event.agent_id,
    correlation_id: event.correlation_id,
    status: "running",
    attempt: event.attempt,
    consumed: event.consumed_artifacts,
    produced: [],
    started_at: event.timestamp,
  };
  if (event.activation_id !== undefined) run.activation_id = event.activation_id;
  draft.write("runs").set(event.run_id, run);
  const agent = draft.agent(event.agent_id);
  agent.status = "running";
  agent.counters.started += 1;
  agent.counters.running += 1;
  agent.counters.consumed += event.consumed_artifacts.length;
}

export function runCompleted(draft: Draft, event: EventOf<"agent_execution_completed">, limits: StateLimits): void {
  const runs = draft.write("runs");
  const run = runs.get(event.run_id);
  // Deleted first, so that ended runs are in the order of their end and the first one is evicted first.
  runs.delete(event.run_id);
  if (limits.runs > 0) {
    runs.set(event.run_id, endedRun(run, event));
    evictOldest(runs, limits.runs, (candidate) => candidate.status !== "running");
  }
  const agent = draft.agent(event.agent_id);
  const { counters } = agent;
  if (run) counters.running = Math.max(0, counters.running - 1);
  if (event.status === "success") counters.succeeded += 1;
  else counters.failed += 1;
  counters.duration_ms += event.duration_ms;
  const ended = event.status === "error" || event.status === "timeout" ? "error" : "idle";
  agent.status = counters.running > 0 ? "running" : ended;
  if (event.error) agent.last_error = event.error;
  agent.ended_seq = event.seq;
}

function endedRun(run: RunState | undefined, event: EventOf<"agent_execution_completed">): RunState {
  return {
    ...(run ?? {
      run_id: event.run_id,
      agent_id: event.agent_id,
      correlation_id: event.correlation_id,
      attempt: 1,
      consumed: [],
      started_at: event.timestamp,
      ...(event.activation_id === undefined ? {} : { activation_id: event.activation_id }),
    }),
    status: event.status,
    produced: run?.produced.length
      ? [...new Set([...run.produced, ...event.produced_artifacts])]
      : event.produced_artifacts,
    ended_at: event.timestamp,
    duration_ms: event.duration_ms,
    ...(event.error ? { error: event.error } : {}),
    ...(event.usage ? { usage: event.usage } : {}),
    ...(event.retry_at ? { retry_at: event.retry_at } : {}),
    ...(run?.steps ? { steps: run.steps.map((step) => endedWithRun(step, event.timestamp)) } : {}),
  };
}

/** A crash can end a run without an event for its open steps. They end with the run. */
function endedWithRun(step: StepState, ended_at: string): StepState {
  return step.status === "running" ? { ...step, status: "cancelled", ended_at } : step;
}

export function stepStarted(draft: Draft, event: EventOf<"run_step_started">, limits: StateLimits): void {
  const { step, kind, name, timestamp } = event;
  putStep(draft, event.run_id, limits, { step, kind, name, status: "running", started_at: timestamp });
}

export function stepCompleted(draft: Draft, event: EventOf<"run_step_completed">, limits: StateLimits): void {
  const { step, kind, name, status, duration_ms, usage, error, timestamp } = event;
  const known = draft.runs.get(event.run_id)?.steps?.find((one) => one.step === step);
  putStep(draft, event.run_id, limits, {
    step,
    kind,
    name,
    status,
    // A viewer that subscribed late did not receive the start.
    started_at: known?.started_at ?? new Date(Date.parse(timestamp) - duration_ms).toISOString(),
    ended_at: timestamp,
    duration_ms,
    ...(usage ? { usage } : {}),
    ...(error ? { error } : {}),
  });
}

/** Inserts or replaces a step, ordered by index, unless it is older than all retained steps. */
function putStep(draft: Draft, runId: string, limits: StateLimits, step: StepState): void {
  const run = draft.runs.get(runId);
  if (limits.runs === 0 || run?.status !== "running") return;
  const { steps = [], steps_dropped: dropped = 0 } = run;
  const after = steps.findLastIndex((one) => one.step <= step.step);
  const isKnown = steps[after]?.step === step.step;
  if (after === -1 && dropped > 0) return;
  const all = isKnown ? steps.with(after, step) : steps.toSpliced(after + 1, 0, step);
  const excess = Math.max(0, all.length - MAX_STEPS);
  draft.write("runs").set(runId, {
    ...run,
    steps: excess > 0 ? all.slice(excess) : all,
    ...(dropped + excess > 0 ? { steps_dropped: dropped + excess } : {}),
  });
}

export function outputStreamed(draft: Draft, event: EventOf<"streaming_output">, limits: StateLimits): void {
  if (limits.streamCharacters === 0) return;
  const run = draft.runs.get(event.run_id);
  if (!run) return;
  const before = run.stream?.length ?? 0;
  const text = (run.stream?.text ?? "") + event.content.slice(overlapOf(before, event));
  draft.write("runs").set(event.run_id, {
    ...run,
    stream: {
      // Cut rarely and by half, because each cut copies the text.
      text: text.length > limits.streamCharacters * 2 ? text.slice(-limits.streamCharacters) : text,
      length: Math.max(before, event.offset + event.content.length),
      complete: event.is_complete,
      output_type: event.output_type,
      ...(event.artifact_type ? { artifact_type: event.artifact_type } : {}),
      broken: (run.stream?.broken ?? false) || event.offset > before,
    },
  });
}
