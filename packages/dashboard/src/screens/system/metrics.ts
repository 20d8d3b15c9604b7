/** Figures by name, as `/metrics` tells them; those of several labels are summed under their name, and kept with them. */
export type Metrics = ReadonlyMap<string, number>;

/** Reads the text format of Prometheus, as far as it says numbers. */
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

/** What was read, and when. */
export interface Sample {
  /** As `Date.now()` counts. */
  readonly at: number;
  readonly metrics: Metrics;
  /** How long a command took to the server and back, in ms; null when it did not come back. */
  readonly latency: number | null;
}

/** How much a counter grew in a second between two samples; null when the server began anew in between. */
export function rateOf(before: Sample, after: Sample, name: string): number | null {
  const grown = (after.metrics.get(name) ?? 0) - (before.metrics.get(name) ?? 0);
  const seconds = (after.at - before.at) / 1_000;
  return grown < 0 || seconds <= 0 ? null : grown / seconds;
}
