import type { Machine } from "./machine.ts";
import type { Spread } from "./statistics.ts";

/** What a suite has found: what is printed, written as JSON, and made into the results of the README. */
export interface Report {
  readonly suite: string;
  readonly about: string;
  readonly machine: Machine;
  /** `full` is worth quoting. */
  readonly size: Size;
  readonly seconds: number;
  readonly workloads: readonly WorkloadReport[];
}

/** How much is measured: all, enough for a look, or only enough to see that everything works. */
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
  /** With its unit. */
  readonly title: string;
  /** Digits after the point. */
  readonly digits: number;
}

export interface Row {
  readonly name: string;
  /** By the column's key. Absent: there is no such thing here. */
  readonly figures: Readonly<Record<string, Spread>>;
}

/** Two figures of the same round. */
export interface Ratio {
  readonly what: string;
  readonly ratio: Spread;
  readonly target?: Target;
  /** Whether the median reaches the target. */
  readonly reached?: boolean;
  readonly chart?: Bar;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Whom the chart shows beside Flock. */
export const CHARTED = ["ws", "socket.io", "langgraph", "mastra"] as const;

/** A bar in the chart: how many times as much a peer takes as Flock. */
export interface Bar {
  readonly label: string;
  readonly peer: (typeof CHARTED)[number];
  /** Less is better: the bar shows one over the ratio. */
  readonly isCost?: boolean;
}

export function isReached(ratio: number, target: Target): boolean {
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
}
