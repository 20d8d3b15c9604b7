import type { Machine } from "./machine.ts";
import type { Spread } from "./statistics.ts";

/** Results of a suite: printed, written as JSON, and published in the README. */
export interface Report {
  readonly suite: string;
  readonly about: string;
  readonly machine: Machine;
  /** Only `full` results are worth publishing. */
  readonly size: Size;
  readonly seconds: number;
  readonly workloads: readonly WorkloadReport[];
}

/** Size of a measurement: complete, a quick look, or only a check that everything works. */
export type Size = "full" | "quick" | "tiny";

export interface WorkloadReport {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

export interface Column {
  readonly key: string;
  /** Title with its unit. */
  readonly title: string;
  /** Decimal places. */
  readonly digits: number;
}

export interface Row {
  readonly name: string;
  /** By column key; absent when not applicable. */
  readonly figures: Readonly<Record<string, Spread>>;
}

/** Ratio of two figures of the same round. */
export interface Ratio {
  readonly what: string;
  readonly ratio: Spread;
  readonly target?: Target;
  /** Whether the median reaches the target. */
  readonly reached?: boolean;
  readonly chart?: Bar;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Peers in the chart. */
export const CHARTED = ["ws", "socket.io", "langgraph", "mastra"] as const;

/** A bar of the chart: the ratio of a peer to Flock. */
export interface Bar {
  readonly label: string;
  readonly peer: (typeof CHARTED)[number];
  /** Lower is better: the bar shows the inverse ratio. */
  readonly isCost?: boolean;
}

export function isReached(ratio: number, target: Target): boolean {
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
}
