import type { AgentInfo, AgentState, GateState } from "@flock-ts/protocol";
import { type CSSProperties, lazy, memo, Suspense, useMemo } from "react";
import { AgentBadges } from "../../commands/agent-badges.tsx";
import { PauseButton } from "../../commands/buttons.tsx";
import { useAgentInfos } from "../../queries/agents.ts";
import { Link } from "../../router/link.tsx";
import { go, pathOf, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { useThrottledState } from "../../session/throttled-state.ts";
import { duration } from "../../ui/format.ts";
import { gathered } from "../../ui/gate-words.ts";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { Status } from "../../ui/status.tsx";
import { useMedia } from "../../ui/use-media.ts";
import { useVisibleRows } from "../../ui/use-visible-rows.ts";
import { AgentCounts } from "./agent-counts.tsx";
import { AgentPanel } from "./agent-panel.tsx";
import { openGates } from "./gates.ts";
import { keptParams } from "./graph/open-groups.ts";
import { type Rate, useRates } from "./rates.ts";

// Loaded on demand: the graph is most of the dashboard's code, and narrow screens do not show it.
const FlowGraph = lazy(() => import("./graph/flow-graph.tsx"));

/** From this number of agents on, animations are off: they would cost each frame. */
const MANY = 60;

/** The width of the panel over the graph, in px. */
const PANEL_PX = 320;

/** All agents, their status, and the flow of artifacts between them. */
export default function AgentsScreen() {
  const isEmpty = useSession(({ state }) => state.nodes.length === 0 && state.agents.size === 0);
  const gates = useThrottledState(({ gates }) => openGates(gates));
  const hasMany = useSession(({ state }) => state.agents.size > MANY);
  const isWide = useMedia("(min-width: 43.75rem)");
  const rates = useRates();
  const { id, params } = useRoute();
  if (isEmpty) {
    return <NothingYet>No agents yet. Declare one with flock.agent("name").</NothingYet>;
  }
  const panel = id !== undefined && (
    <AgentPanel
      key={id}
      name={id}
      gates={gates.get(id) ?? []}
      rate={rates.get(id)}
      close={() => go(pathOf("agents", undefined, keptParams(params)))}
    />
  );
  return (
    <div className={`relative flex h-full flex-col ${hasMany ? "without-motion" : ""}`}>
      <h1 className="sr-only">Agents</h1>
      {isWide && (
        <section aria-label="Flow between agents" className="min-h-0 flex-1">
          <Suspense fallback={<Skeleton />}>
            <FlowGraph rates={rates} shown={id} covered={id === undefined ? 0 : PANEL_PX} />
          </Suspense>
        </section>
      )}
      {isWide ? <AgentTable shown={id} rates={rates} /> : panel ? null : <AgentCards />}
      {/* Above the graph, so that opening the panel moves nothing. */}
      {panel && (
        <div
          // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
          tabIndex={0}
          className="overflow-y-auto border-line bg-card -outline-offset-2 max-md:h-full md:absolute md:inset-y-0 md:right-0 md:z-1 md:w-(--width) md:border-l md:shadow-xl"
          style={{ "--width": `${PANEL_PX}px` } as CSSProperties}
        >
          {panel}
        </div>
      )}
    </div>
  );
}

function useAgents() {
  const agents = useThrottledState(({ agents }) => agents);
  const gates = useThrottledState(({ gates }) => openGates(gates));
  return useMemo(
    () => [...agents.values()].map((agent) => ({ agent, gates: gates.get(agent.agent_id) ?? NONE })),
    [agents, gates],
  );
}

const NONE: readonly GateState[] = [];

/** The columns of the table. Fixed widths keep changing values from moving other columns. */
const COLUMNS = [
  ["Agent", "w-[14%]"],
  ["Status", "w-[20%]"],
  ["Consumes", "w-[14%]"],
  ["Publishes", "w-[12%]"],
  ["Gate", "w-[13%]"],
  ["Runs", "w-[6%]"],
  ["Failed", "w-[6%]"],
  ["Runs/min", "w-[7%]"],
  ["Mean time", "w-[8%]"],
] as const;

/** The height of a row, in px. */
const ROW_PX = 37;

/** The graph as a table. Only visible rows are rendered. */
function AgentTable({ shown, rates }: { shown: string | undefined; rates: ReadonlyMap<string, Rate> }) {
  const list = useAgents();
  const infos = useAgentInfos();
  const { box, rows, above, below } = useVisibleRows<HTMLElement>(list.length, ROW_PX);
  return (
    <section
      ref={box}
      aria-label="All agents"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
      tabIndex={0}
      className="max-h-[38%] shrink-0 scroll-pt-9 overflow-auto border-t border-line bg-card -outline-offset-2"
    >
      <table aria-rowcount={list.length + 1} className="w-full min-w-[60rem] table-fixed text-left text-sm">
        <thead className="sticky top-0 z-1 bg-card text-xs text-soft">
          <tr aria-rowindex={1}>
            {COLUMNS.map(([name, width]) => (
              <th key={name} scope="col" className={`px-4 py-2 font-medium whitespace-nowrap ${width}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <NoRows height={above} />
          {rows.map(({ index }) => {
            const { agent, gates } = list[index] as (typeof list)[number];
            return (
              <AgentRow
                key={agent.agent_id}
                index={index}
                agent={agent}
                info={infos.get(agent.agent_id)}
                gates={gates}
                perMinute={rates.get(agent.agent_id)?.started ?? 0}
                isShown={agent.agent_id === shown}
              />
            );
          })}
          <NoRows height={below} />
        </tbody>
      </table>
    </section>
  );
}

/** The space of rows that are out of view. */
function NoRows({ height }: { height: number }) {
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row is not focusable
  return height > 0 ? <tr aria-hidden="true" style={{ height }} /> : null;
}

interface AgentRowProps {
  readonly index: number;
  readonly agent: AgentState;
  readonly info: AgentInfo | undefined;
  readonly gates: readonly GateState[];
  readonly perMinute: number;
  readonly isShown: boolean;
}

/** A separate component, because only some of hundreds change at a time. */
const AgentRow = memo(function AgentRow({ index, agent, info, gates, perMinute, isShown }: AgentRowProps) {
  const { agent_id, status, consumes, publishes, counters } = agent;
  const ended = counters.succeeded + counters.failed;
  const cell = "truncate px-4 py-1.5";
  return (
    <tr
      aria-rowindex={index + 2}
      style={{ height: ROW_PX }}
      className={`border-t border-line ${isShown ? "bg-accent-soft" : ""}`}
    >
      <th scope="row" className={`${cell} font-medium`}>
        <span className="flex items-center justify-between gap-1">
          <AgentLink agent={agent_id} />
          <span className="-my-0.5 flex">
            <PauseButton agent={agent} isIcon />
          </span>
        </span>
      </th>
      <td className={cell}>
        <span className="flex items-center gap-1.5 overflow-hidden">
          <Status value={status} />
          <AgentBadges agent={agent} info={info} isShort />
        </span>
      </td>
      <td className={`${cell} text-soft`} title={consumes.join(", ")}>
        {consumes.join(", ")}
      </td>
      <td className={`${cell} text-soft`} title={publishes.join(", ")}>
        {publishes.join(", ")}
      </td>
      <td className={`${cell} text-soft tabular-nums`} title={waitsWith(gates)}>
        {waitsWith(gates)}
      </td>
      <td className={`${cell} tabular-nums`}>{counters.started}</td>
      <td className={`${cell} tabular-nums ${counters.failed > 0 ? "text-bad" : ""}`}>{counters.failed}</td>
      <td className={`${cell} text-soft tabular-nums`}>{perMinute}</td>
      <td className={`${cell} tabular-nums`}>{ended === 0 ? "" : duration(counters.duration_ms / ended)}</td>
    </tr>
  );
});

/** The same as a list, for narrow screens. */
function AgentCards() {
  const list = useAgents();
  const infos = useAgentInfos();
  return (
    <ul aria-label="All agents" className="min-h-0 flex-1 overflow-y-auto">
      {list.map(({ agent, gates }) => (
        <li key={agent.agent_id} className="border-b border-line bg-card px-4 py-3">
          <span className="flex items-baseline justify-between gap-2">
            <span className="min-w-0 font-semibold">
              <AgentLink agent={agent.agent_id} />
            </span>
            <Status value={agent.status} />
          </span>
          <span className="flex flex-wrap gap-1.5">
            <AgentBadges agent={agent} info={infos.get(agent.agent_id)} />
          </span>
          <p className="my-1 text-sm text-soft">{agent.description}</p>
          <p className="mb-1 text-xs break-words text-soft">
            {agent.consumes.join(", ")} → {agent.publishes.join(", ") || "nothing"}
          </p>
          {gates.length > 0 && <p className="mb-1 text-xs text-soft">Gate {waitsWith(gates)}</p>}
          <AgentCounts agent={agent} />
        </li>
      ))}
    </ul>
  );
}

function AgentLink({ agent }: { agent: string }) {
  const { params } = useRoute();
  return (
    <Link
      href={pathOf("agents", agent, keptParams(params))}
      title={`Details of ${agent}`}
      className="block min-w-0 truncate leading-6 underline-offset-2 hover:underline"
    >
      {agent}
    </Link>
  );
}

/** Returns the state of an agent's newest open gate, and the number of further gates. */
function waitsWith(gates: readonly GateState[]): string {
  const newest = gates.at(-1);
  return newest ? `${gathered(newest)}${gates.length > 1 ? ` (+${gates.length - 1})` : ""}` : "";
}
