/** Metrics by name. Values of several labels are summed under the name, and also kept with their labels. */
export type Metrics = ReadonlyMap<string, number>;

/** Parses the numbers of the Prometheus text format. */
export function metricsOf(text: string): Metrics {
  const metrics = new Map<string, number>();
  for (const line of text.split("\n")) {
    const parts = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
    if (!parts) continue;
    const [, name = "", labels, said] = parts;
    const value = Number(said);
    if (Number.isNaN(value)) continue;
    if (labels) metrics.set(name + labels, value);
    metrics.set(name, (metrics.get(name) ?? 0) + value);
  }
  return metrics;
}

/** A sample of the metrics and its time. */
export interface Sample {
  /** As `Date.now()` counts. */
  readonly at: number;
  readonly metrics: Metrics;
  /** The round-trip time of a command, in ms; null when it failed. */
  readonly latency: number | null;
}

/** Returns a counter's rate per second between two samples; null when the server restarted in between. */
export function rateOf(before: Sample, after: Sample, name: string): number | null {
  const grown = (after.metrics.get(name) ?? 0) - (before.metrics.get(name) ?? 0);
  const seconds = (after.at - before.at) / 1_000;
  return grown < 0 || seconds <= 0 ? null : grown / seconds;
}
