import type { AgentState } from "@flock-ts/protocol";

/** The run counts of an agent. */
export function AgentCounts({ agent: { counters } }: { agent: AgentState }) {
  return (
    <p className="flex gap-3 text-xs whitespace-nowrap text-soft tabular-nums">
      <span className={counters.running > 0 ? "text-busy" : ""}>{counters.running} running</span>
      <span>{counters.succeeded} done</span>
      <span className={counters.failed > 0 ? "text-bad" : ""}>{counters.failed} failed</span>
    </p>
  );
}
