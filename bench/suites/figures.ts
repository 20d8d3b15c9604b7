import type { Column } from "../report/report.ts";

/** Title of a figure with its unit. With `isGain`, more is better; otherwise less. */
interface Description {
  readonly title: string;
  /** Decimal places. */
  readonly digits: number;
  readonly isGain?: true;
}

const DESCRIPTIONS = {
  perSecond: { title: "deliveries/s", digits: 0, isGain: true },
  perCpuSecond: { title: "deliveries/CPU s", digits: 0, isGain: true },
  p50Ms: { title: "p50 ms", digits: 2 },
  p99Ms: { title: "p99 ms", digits: 2 },
  healthyP50Ms: { title: "healthy p50 ms", digits: 2 },
  healthyP99Ms: { title: "healthy p99 ms", digits: 2 },
  cpuPercent: { title: "% of a CPU", digits: 1 },
  cpuPerEvent: { title: "server CPU µs/event", digits: 2 },
  cpuPerDelivery: { title: "server CPU µs/delivery", digits: 2 },
  bytes: { title: "bytes/delivery", digits: 0 },
  rssMB: { title: "RSS MB", digits: 0 },
  grownMB: { title: "RSS grown by MB", digits: 0 },
  kiB: { title: "RSS KiB/connection", digits: 2 },
  timers: { title: "timers", digits: 0 },
  moreTimers: { title: "timers more than with few", digits: 0 },
  seconds: { title: "s until all have all", digits: 2 },
  catchUpSeconds: { title: "s to catch up", digits: 1 },
  deliveries: { title: "deliveries", digits: 0, isGain: true },
  mistakes: { title: "lost or doubled", digits: 0 },
  lost: { title: "clients lost", digits: 0 },
  publishedPerSecond: { title: "events/s", digits: 0, isGain: true },
  agentPerSecond: { title: "agent's events/s", digits: 0, isGain: true },
  sentKBPerSecond: { title: "greedy sends kB/s", digits: 0 },
  receivedKBPerSecond: { title: "greedy gets kB/s", digits: 0 },
  noClientMicros: { title: "no client", digits: 1 },
  oneMicros: { title: "1, everything", digits: 1 },
  ownMicros: { title: "each its own", digits: 1 },
  nothingMicros: { title: "each an idle workflow", digits: 1 },
  artifacts: { title: "artifacts/CPU s", digits: 0, isGain: true },
  rows: { title: "rows/CPU s", digits: 0, isGain: true },
  activations: { title: "activations/s", digits: 0, isGain: true },
  micros: { title: "µs/activation", digits: 1 },
  cpuMicros: { title: "CPU µs/activation", digits: 1 },
  framesPerSecond: { title: "frames/s", digits: 0, isGain: true },
  longestTaskMs: { title: "longest task ms", digits: 0 },
  clickMs: { title: "click to paint ms", digits: 0 },
  worstClickMs: { title: "worst click ms", digits: 0 },
  firstHeapMB: { title: "heap MB after the first", digits: 0 },
  secondHeapMB: { title: "after the second", digits: 0 },
  thirdHeapMB: { title: "after the third", digits: 0 },
  interactiveMs: { title: "interactive after ms", digits: 0 },
  allSeconds: { title: "all there after s", digits: 1 },
  travelMs: { title: "time travel ms", digits: 0 },
  worstTravelMs: { title: "worst ms", digits: 0 },
  rightAgainMs: { title: "right again after ms", digits: 0 },
  scriptKB: { title: "kB until it is live", digits: 0 },
  allScriptKB: { title: "kB in all", digits: 0 },
} as const satisfies Readonly<Record<string, Description>>;

/** Names of all figures. */
export type Figure = keyof typeof DESCRIPTIONS;

/** Figures of one row; null when not applicable. */
export type Figures = Readonly<Partial<Record<Figure, number | null>>>;

/** Returns the table column of a figure. */
export function columnOf(figure: Figure): Column {
  const { title, digits } = DESCRIPTIONS[figure];
  return { key: figure, title, digits };
}

/** Returns whether less is better. */
export function isCost(figure: Figure): boolean {
  return !("isGain" in DESCRIPTIONS[figure]);
}
