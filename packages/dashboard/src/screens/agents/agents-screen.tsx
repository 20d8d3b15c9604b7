import type { GateState } from "@flock/protocol";
import { lazy, Suspense, useMemo } from "react";
import { useLive } from "../../live/store.ts";
import { clock, duration } from "../../parts/format.ts";
import { NothingYet, Status } from "../../parts/parts.tsx";
import { useMedia } from "../../parts/use-media.ts";
import { Link } from "../../place/link.tsx";
import { pathOf } from "../../place/place.ts";
import { AgentCounts } from "./agent-counts.tsx";

// Drawing and laying out are most of the dashboard's code, and a narrow screen shows no graph.
const FlowGraph = lazy(() => import("./flow-graph.tsx"));

/** Every agent, what it does, and how artifacts flow between them. */
export default function AgentsScreen() {
  const isEmpty = useLive(({ state }) => state.nodes.length === 0 && state.agents.size === 0);
  const isWide = useMedia("(min-width: 43.75rem)");
  if (isEmpty) {
    return <NothingYet>No agents yet. Declare one with flock.agent("name"), and it appears here at once.</NothingYet>;
  }
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Agents</h1>
      {isWide && (
        <section aria-label="Flow between agents" className="min-h-0 flex-1">
          <Suspense>
            <FlowGraph />
          </Suspense>
        </section>
      )}
      {isWide ? <AgentTable /> : <AgentCards />}
    </div>
  );
}

function useAgents() {
  const agents = useLive(({ state }) => state.agents);
  const gates = useLive(({ state }) => state.gates);
  return useMemo(() => {
    const waiting = Map.groupBy(gates.values(), ({ agent_id }) => agent_id);
    return [...agents.values()].map((agent) => ({ agent, gates: waiting.get(agent.agent_id) ?? [] }));
  }, [agents, gates]);
}

/** The columns of the table, each with its width: what comes and goes in one must not move the others. */
const COLUMNS = [
  ["Agent", "w-[16%]"],
  ["Status", "w-[10%]"],
  ["Consumes", "w-[18%]"],
  ["Publishes", "w-[16%]"],
  ["Waits with", "w-[20%]"],
  ["Runs", "w-[6%]"],
  ["Failed", "w-[6%]"],
  ["Mean time", "w-[8%]"],
] as const;

/** The graph in numbers, for eyes and for screen readers. */
function AgentTable() {
  const list = useAgents();
  return (
    <section
      aria-label="All agents"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="max-h-[38%] shrink-0 overflow-auto border-t border-line bg-card -outline-offset-2"
    >
      <table className="w-full min-w-[60rem] table-fixed text-left text-sm">
        <thead className="sticky top-0 bg-card text-xs text-soft">
          <tr>
            {COLUMNS.map(([name, width]) => (
              <th key={name} scope="col" className={`px-4 py-2 font-medium whitespace-nowrap ${width}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.map(({ agent: { agent_id, status, consumes, publishes, counters }, gates }) => {
            const ended = counters.succeeded + counters.failed;
            return (
              <tr key={agent_id} className="border-t border-line">
                <th scope="row" className="truncate px-4 py-1.5 font-medium">
                  <RunsOf agent={agent_id} />
                </th>
                <td className="px-4 py-1.5">
                  <Status value={status} />
                </td>
                <td className="truncate px-4 py-1.5 text-soft" title={consumes.join(", ")}>
                  {consumes.join(", ")}
                </td>
                <td className="truncate px-4 py-1.5 text-soft" title={publishes.join(", ")}>
                  {publishes.join(", ")}
                </td>
                <td className="truncate px-4 py-1.5 text-soft tabular-nums" title={gathered(gates)}>
                  {gathered(gates)}
                </td>
                <td className="px-4 py-1.5 tabular-nums">{counters.started}</td>
                <td className={`px-4 py-1.5 tabular-nums ${counters.failed > 0 ? "text-bad" : ""}`}>
                  {counters.failed}
                </td>
                <td className="px-4 py-1.5 tabular-nums">
                  {ended === 0 ? "" : duration(counters.duration_ms / ended)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The same where a table of eight columns helps nobody. */
function AgentCards() {
  const list = useAgents();
  return (
    <ul aria-label="All agents" className="min-h-0 flex-1 overflow-y-auto">
      {list.map(({ agent, gates }) => (
        <li key={agent.agent_id} className="border-b border-line bg-card px-4 py-3">
          <span className="flex items-baseline justify-between gap-2">
            <span className="truncate font-semibold">
              <RunsOf agent={agent.agent_id} />
            </span>
            <Status value={agent.status} />
          </span>
          <p className="my-1 text-sm text-soft">{agent.description}</p>
          <p className="mb-1 text-xs break-words text-soft">
            {agent.consumes.join(", ")} → {agent.publishes.join(", ") || "nothing"}
          </p>
          {gates.length > 0 && <p className="mb-1 text-xs text-soft">Waits with {gathered(gates)}</p>}
          <AgentCounts agent={agent} />
        </li>
      ))}
    </ul>
  );
}

function RunsOf({ agent }: { agent: string }) {
  return (
    <Link
      href={pathOf("runs", undefined, { agent })}
      title={`All runs of ${agent}`}
      className="underline-offset-2 hover:underline"
    >
      {agent}
    </Link>
  );
}

/** What an agent's newest open gate has, of what it needs, and until when; and how many more gates are open. */
function gathered(gates: readonly GateState[]): string {
  const newest = gates.at(-1);
  if (!newest) return "";
  const parts = Object.entries(newest.required).map(
    ([type, wanted]) => `${type} ${Math.min(wanted, newest.collected[type] ?? 0)}/${wanted}`,
  );
  const until = newest.expires_at ? ` until ${clock(newest.expires_at)}` : "";
  return `${parts.join(", ")}${until}${gates.length > 1 ? ` (+${gates.length - 1})` : ""}`;
}
