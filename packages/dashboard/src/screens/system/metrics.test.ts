import { describe, expect, it } from "vitest";
import { metricsOf, rateOf } from "./metrics.ts";

const TEXT = `# HELP flock_events_total Events committed.
# TYPE flock_events_total counter
flock_events_total 120
flock_runs_ended_total{status="success"} 7
flock_runs_ended_total{status="error"} 2
nodejs_eventloop_lag_seconds 0.0012
nothing_yet NaN
`;

describe("parses the server's metrics", () => {
  it("by name, and by name and label", () => {
    const metrics = metricsOf(TEXT);
    expect(metrics.get("flock_events_total")).toBe(120);
    expect(metrics.get("flock_runs_ended_total")).toBe(9);
    expect(metrics.get('flock_runs_ended_total{status="error"}')).toBe(2);
    expect(metrics.get("nodejs_eventloop_lag_seconds")).toBe(0.0012);
    expect(metrics.has("nothing_yet")).toBe(false);
  });

  it("computes rates between two samples, unless the server restarted", () => {
    const sample = (at: number, events: number) => ({ at, metrics: new Map([["e", events]]), latency: null });
    expect(rateOf(sample(0, 10), sample(2_000, 30), "e")).toBe(10);
    expect(rateOf(sample(0, 10), sample(2_000, 3), "e")).toBeNull();
  });
});
