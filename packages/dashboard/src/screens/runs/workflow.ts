import type { FlockState, RunState, StepState } from "@flock-ts/protocol";

/** A call of a model or a tool on the time axis; times as those of {@link Bar}. */
export interface StepBar {
  readonly step: StepState;
  readonly startedAt: number;
  /** When it ended; the end of the picture while it goes on. */
  readonly endedAt: number;
  /** Which line of its run it stands in: no two at the same time share one. */
  readonly lane: number;
  /** How many lines those need that go on one into the other. */
  readonly lines: number;
}

/** A run on the time axis of its workflow; times in ms as `Date.now()` counts. */
export interface Bar {
  readonly run: RunState;
  /** When the first of what it read was there: from here it waits at its gate for the others. */
  readonly gateFrom: number;
  /** When the last of what it read was there: from here it waits for its turn. */
  readonly queuedFrom: number;
  readonly startedAt: number;
  /** When it ended; the end of the picture while it runs. */
  readonly endedAt: number;
  /** How many runs led to it, one after the other. */
  readonly depth: number;
  /** The line of the flame view that it stands in: no two at the same time share one. */
  readonly lane: number;
  /** What it has called, in lines below its own. */
  readonly steps: readonly StepBar[];
  /** Whether the workflow would have been over sooner if this run, or what it waited for, had been. */
  readonly isCritical: boolean;
}

/** The runs of one workflow, side by side. */
export interface Workflow {
  /** In the order in which they began. */
  readonly bars: readonly Bar[];
  readonly from: number;
  readonly to: number;
  /** How many lines the flame view has, those of steps included. */
  readonly lanes: number;
  readonly artifacts: number;
  readonly failed: number;
  readonly running: number;
  /** What its runs have spent, by name. */
  readonly usage: Readonly<Record<string, number>>;
}

/**
 * The workflow with a correlation id as a state shows it.
 * @param now the end of the picture for what still runs, in ms as `Date.now()` counts.
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

/** What a run has called, as far as the picture goes: each in the first line that is free when it begins. */
function stepsOf({ steps = [] }: RunState, until: number): readonly StepBar[] {
  const bars: StepBar[] = [];
  /** When the newest of each line ends, of those that go on one into the other. */
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
    const told = step.ended_at === undefined ? until : Date.parse(step.ended_at);
    const endedAt = Math.min(Math.max(startedAt, told), until);
    if (ends.every((end) => end <= startedAt)) close();
    const free = ends.findIndex((end) => end <= startedAt);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = endedAt;
    bars.push({ step, startedAt, endedAt, lane, lines: 1 });
  }
  close();
  return bars;
}

/** Each in the first lane of its depth that is free when it begins; deeper ones below, and below each what it called. */
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

/** The runs that the end waited for: from the one that ended last, back through what came last of what each read. */
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
