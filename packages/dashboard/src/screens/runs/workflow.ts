import type { FlockState, RunState, StepState } from "@flock-ts/protocol";

/** A model or tool call on the time axis. Times as in {@link Bar}. */
export interface StepBar {
  readonly step: StepState;
  readonly startedAt: number;
  /** Its end; the end of the axis while it runs. */
  readonly endedAt: number;
  /** Its line within its run. Simultaneous steps have different lines. */
  readonly lane: number;
  /** The number of lines that its group of overlapping steps needs. */
  readonly lines: number;
}

/** A run on the time axis of its workflow. Times in ms as `Date.now()` counts. */
export interface Bar {
  readonly run: RunState;
  /** When its first input was published. From here it waits at its gate. */
  readonly gateFrom: number;
  /** When its last input was published. From here it is queued. */
  readonly queuedFrom: number;
  readonly startedAt: number;
  /** Its end; the end of the axis while it runs. */
  readonly endedAt: number;
  /** The number of runs before it in the chain of causes. */
  readonly depth: number;
  /** Its line in the flame view. Simultaneous runs have different lines. */
  readonly lane: number;
  /** Its steps, in lines below its own. */
  readonly steps: readonly StepBar[];
  /** Whether the workflow would have ended sooner if this run, or what it waited for, had been faster. */
  readonly isCritical: boolean;
}

/** The runs of one workflow. */
export interface Workflow {
  /** In the order in which they started. */
  readonly bars: readonly Bar[];
  readonly from: number;
  readonly to: number;
  /** The number of lines of the flame view, including steps. */
  readonly lanes: number;
  readonly artifacts: number;
  readonly failed: number;
  readonly running: number;
  /** The total usage of its runs, by name. */
  readonly usage: Readonly<Record<string, number>>;
}

/**
 * Computes the workflow of a correlation id from a state.
 *
 * @param now the end of the axis for running runs, in ms as `Date.now()` counts.
 */
export function workflowOf({ runs, artifacts }: FlockState, correlationId: string, now: number): Workflow {
  const mine = [...runs.values()]
    .filter(({ correlation_id }) => correlation_id === correlationId)
    .sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
  const critical = criticalOf(mine, artifacts);
  const depths = new Map<string, number>();
  const bars = mine.map((run): Bar => {
    const read = run.consumed.flatMap((id) => artifacts.get(id) ?? []);
    const startedAt = Date.parse(run.started_at);
    const arrived = read.map(({ timestamp }) => Date.parse(timestamp));
    const endedAt = run.ended_at === undefined ? Math.max(now, startedAt) : Date.parse(run.ended_at);
    const causes = read.map(({ run_id }) => (run_id === undefined ? -1 : (depths.get(run_id) ?? -1)));
    const depth = Math.max(-1, ...causes) + 1;
    depths.set(run.run_id, depth);
    return {
      run,
      gateFrom: Math.min(startedAt, ...arrived),
      queuedFrom: arrived.length === 0 ? startedAt : Math.min(startedAt, Math.max(...arrived)),
      startedAt,
      endedAt,
      depth,
      lane: 0,
      steps: stepsOf(run, endedAt),
      isCritical: critical.has(run.run_id),
    };
  });
  const { placed, lanes } = withLanes(bars);
  return {
    bars: placed,
    from: Math.min(...bars.map(({ gateFrom }) => gateFrom)),
    to: Math.max(...bars.map(({ endedAt }) => endedAt)),
    lanes,
    artifacts: [...artifacts.values()].filter(({ correlation_id }) => correlation_id === correlationId).length,
    failed: mine.filter(({ status }) => status === "error" || status === "timeout").length,
    running: mine.filter(({ status }) => status === "running").length,
    usage: sumOf(mine),
  };
}

/** Places the steps of a run: each in the first line that is free when it starts. */
function stepsOf({ steps = [] }: RunState, until: number): readonly StepBar[] {
  const bars: StepBar[] = [];
  /** The end of each line's newest step, among overlapping steps. */
  let ends: number[] = [];
  let first = 0;
  const close = () => {
    for (let place = first; place < bars.length; place += 1)
      bars[place] = { ...(bars[place] as StepBar), lines: ends.length };
    first = bars.length;
    ends = [];
  };
  for (const step of steps) {
    const startedAt = Math.min(Date.parse(step.started_at), until);
    const reportedEnd = step.ended_at === undefined ? until : Date.parse(step.ended_at);
    const endedAt = Math.min(Math.max(startedAt, reportedEnd), until);
    if (ends.every((end) => end <= startedAt)) close();
    const free = ends.findIndex((end) => end <= startedAt);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = endedAt;
    bars.push({ step, startedAt, endedAt, lane, lines: 1 });
  }
  close();
  return bars;
}

/** Places each run in the first free line of its depth. Deeper runs are below, and steps directly below their run. */
function withLanes(bars: readonly Bar[]): { readonly placed: readonly Bar[]; readonly lanes: number } {
  const ends: { depth: number; end: number; bars: Bar[] }[] = [];
  for (const bar of bars) {
    const free = ends.find(({ depth, end }) => depth === bar.depth && end <= bar.startedAt);
    if (free) {
      free.end = bar.endedAt;
      free.bars.push(bar);
    } else {
      ends.push({ depth: bar.depth, end: bar.endedAt, bars: [bar] });
    }
  }
  const places = new Map<Bar, number>();
  let lanes = 0;
  for (const { bars } of ends.sort((a, b) => a.depth - b.depth)) {
    let below = 0;
    for (const bar of bars) {
      places.set(bar, lanes);
      for (const { lane } of bar.steps) below = Math.max(below, lane + 1);
    }
    lanes += 1 + below;
  }
  return { placed: bars.map((bar) => ({ ...bar, lane: places.get(bar) as number })), lanes };
}

/** Returns the runs on the critical path: from the run that ended last, back through the latest input of each. */
function criticalOf(runs: readonly RunState[], artifacts: FlockState["artifacts"]): ReadonlySet<string> {
  const known = new Map(runs.map((run) => [run.run_id, run]));
  const path = new Set<string>();
  const endOf = ({ ended_at }: RunState) => (ended_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(ended_at));
  let run = runs.reduce<RunState | undefined>(
    (last, one) => (last === undefined || endOf(one) > endOf(last) ? one : last),
    undefined,
  );
  while (run && !path.has(run.run_id)) {
    path.add(run.run_id);
    const read = run.consumed.flatMap((id) => artifacts.get(id) ?? []);
    const last = read.reduce<(typeof read)[number] | undefined>(
      (newest, one) => (newest === undefined || one.seq > newest.seq ? one : newest),
      undefined,
    );
    run = last?.run_id === undefined ? undefined : known.get(last.run_id);
  }
  return path;
}

function sumOf(runs: readonly RunState[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { usage } of runs) {
    for (const [name, amount] of Object.entries(usage ?? {})) sums[name] = (sums[name] ?? 0) + amount;
  }
  return sums;
}
