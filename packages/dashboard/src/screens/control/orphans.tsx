import type { OrphansRecord } from "@flock-ts/protocol";
import { DropOrphansButton } from "../../commands/buttons.tsx";
import { useOrphans } from "../../queries/orphans.ts";

type Stranded = OrphansRecord["artifacts"][number];

const REASONS: Readonly<Record<Stranded["reason"], string>> = {
  unknown_agent: "the agent is not declared",
  no_gate: "the agent no longer consumes this type",
  visibility: "the agent may not see it",
  condition: "no gate accepts it",
  invalid_payload: "it does not match its schema",
};

/** Work that a deploy has left without an agent. Hidden when there is none. */
export function Orphans() {
  const orphans = useOrphans();
  if (!orphans || orphans.total.runs + orphans.total.artifacts === 0) return null;
  const agents = [...new Set([...orphans.runs, ...orphans.artifacts].map(({ agent_id }) => agent_id))];
  return (
    <section aria-label="Orphaned work" className="min-w-0 rounded-xl border border-line bg-card">
      <header className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <h2 className="mr-auto text-sm font-medium">Orphaned work</h2>
        <p className="text-xs text-soft tabular-nums">{countsOf(orphans.total)}</p>
      </header>
      <ul>
        {agents.map((agent) => (
          <OfAgent key={agent} agent={agent} orphans={orphans} />
        ))}
      </ul>
    </section>
  );
}

function OfAgent({ agent, orphans }: { agent: string; orphans: OrphansRecord }) {
  const runs = orphans.runs.filter(({ agent_id }) => agent_id === agent);
  const artifacts = orphans.artifacts.filter(({ agent_id }) => agent_id === agent);
  const counts = countsOf({ runs: runs.length, artifacts: artifacts.length });
  const gates = Map.groupBy(artifacts, ({ gate, reason }) => `${gate}: ${REASONS[reason]}`);
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 border-t border-line px-4 py-2.5 text-sm first:border-t-0">
      <p className="flex min-w-56 flex-1 flex-wrap items-baseline gap-x-2">
        <span className="font-medium leading-6">{agent}</span>
        <span className="text-xs text-soft tabular-nums">{counts}</span>
      </p>
      <DropOrphansButton agent={agent} counts={counts} />
      <ul className="basis-full text-xs text-soft">
        {runs.length > 0 && <li>Queued runs: the agent is not declared</li>}
        {[...gates].map(([gate, { length }]) => (
          <li key={gate}>
            {length.toLocaleString("en")} in gate {gate}
          </li>
        ))}
      </ul>
    </li>
  );
}

function countsOf({ runs, artifacts }: { readonly runs: number; readonly artifacts: number }): string {
  const parts = [
    runs > 0 && (runs === 1 ? "1 queued run" : `${runs.toLocaleString("en")} queued runs`),
    artifacts > 0 && (artifacts === 1 ? "1 waiting artifact" : `${artifacts.toLocaleString("en")} waiting artifacts`),
  ];
  return parts.filter(Boolean).join(", ");
}
