import type { AgentState } from "@flock-ts/protocol";
import { Handle, type NodeProps, Position } from "@xyflow/react";
import { ChevronDown, ChevronRight, CircleAlert, Pause } from "lucide-react";
import { createContext, useContext } from "react";
import { useShallow } from "zustand/react/shallow";
import { AgentBadges, GroupBadges, heldOf, isHeld } from "../../../commands/agent-badges.tsx";
import { PauseButton } from "../../../commands/buttons.tsx";
import { useAgentInfo } from "../../../queries/agents.ts";
import { Link } from "../../../router/link.tsx";
import { pathOf, useRoute } from "../../../router/route.ts";
import { useThrottledState } from "../../../session/throttled-state.ts";
import { gathered, missing } from "../../../ui/gate-words.ts";
import { Status } from "../../../ui/status.tsx";
import { AgentCounts } from "../agent-counts.tsx";
import { openGates } from "../gates.ts";
import type { Rate } from "../rates.ts";
import type { DrawnNode } from "./grouping.ts";
import { NODE } from "./layered.ts";
import type { AgentNode } from "./nodes.ts";
import { keptParams, toggleGroup } from "./open-groups.ts";
import { useIsFar } from "./zoom.ts";

const RatesContext = createContext<ReadonlyMap<string, Rate>>(new Map());
/** The run rates of all agents. */
export const Rates = RatesContext.Provider;

/** A node of the graph: an agent, or a group with the same inputs and outputs. */
export function AgentBox({ data: { drawn, isOpen }, selected }: NodeProps<AgentNode>) {
  const props = { drawn, isOpen, selected };
  return useIsFar() ? <FarBox {...props} /> : <NearBox {...props} />;
}

interface BoxProps {
  readonly drawn: DrawnNode;
  readonly isOpen: boolean;
  readonly selected: boolean;
}

/** A node when zoomed out: its name and its state. */
function FarBox({ drawn, isOpen, selected }: BoxProps) {
  const { node, members } = drawn;
  const status = useThrottledState(({ agents }) => statusOf(members.map((member) => agents.get(member)?.status)));
  const isPaused = useThrottledState(({ agents }) => members.some((member) => agents.get(member)?.paused));
  return (
    <div
      style={NODE}
      className={`flex items-center justify-center gap-2 rounded-xl border-4 bg-card px-2 ${borderOf(status)} ${
        node.type === "external" ? "border-dashed" : ""
      } ${selected ? "outline-8 outline-offset-8 outline-accent" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      {/* An icon in addition to the border color. */}
      {status === "error" && <CircleAlert size={32} role="img" aria-label="error" className="shrink-0 text-bad" />}
      {isPaused && <Pause size={32} role="img" aria-label="paused" className="shrink-0 text-busy" />}
      <BoxName drawn={drawn} isOpen={isOpen} className="line-clamp-2 text-center text-3xl wrap-anywhere" />
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

/** The name. An agent links to its panel, a group expands. */
function BoxName({ drawn: { node, members, group }, isOpen, className = "" }: BoxNameProps) {
  const { params } = useRoute();
  if (node.type === "external") return <span className={`font-semibold ${className}`}>external</span>;
  const linkClass = `nodrag pointer-events-auto font-semibold hover:underline ${className}`;
  if (members.length === 1) {
    return (
      <Link href={pathOf("agents", node.id, keptParams(params))} title={`Details of ${node.id}`} className={linkClass}>
        {node.label}
      </Link>
    );
  }
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      title={isOpen ? "Collapse group" : "Expand group"}
      onClick={() => toggleGroup(group as string)}
      className={`flex! items-center gap-1 ${linkClass}`}
    >
      <Chevron size="1em" aria-hidden="true" />
      {node.label}
    </button>
  );
}

interface BoxNameProps {
  readonly drawn: DrawnNode;
  readonly isOpen: boolean;
  readonly className?: string;
}

function borderOf(status: AgentState["status"] | undefined): string {
  return status === "running" ? "working border-busy" : status === "error" ? "border-bad" : "border-line";
}

/** The status of a group: running if any agent runs, else failed if any has failed. */
function statusOf(statuses: readonly (AgentState["status"] | undefined)[]): AgentState["status"] {
  return statuses.includes("running") ? "running" : statuses.includes("error") ? "error" : "idle";
}

function NearBox({ drawn, isOpen, selected }: BoxProps) {
  const { node, members } = drawn;
  const agents = useThrottledState(useShallow(({ agents }) => members.map((member) => agents.get(member))));
  const rates = useContext(RatesContext);
  const agent = summed(agents);
  const rate = members.length === 1 ? rates.get(members[0] as string) : undefined;
  const gate = useThrottledState(({ gates }) =>
    members.length === 1 ? openGates(gates).get(node.id)?.at(-1) : undefined,
  );
  const info = useAgentInfo(node.id);
  const held = members.length > 1 ? heldOf(agents.filter((each) => each !== undefined)) : undefined;
  const isOutside = node.type === "external";
  return (
    <div
      style={{ ...NODE, background: heatOf(rate) }}
      className={`flex flex-col justify-between rounded-xl border bg-card px-3.5 py-2.5 text-left ${borderOf(agent?.status)} ${
        isOutside ? "border-dashed" : ""
      } ${selected ? "outline-2 outline-offset-2 outline-accent" : ""} ${members.length > 1 ? "shadow-[3px_3px_0_var(--line)]" : ""}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} style={{ opacity: 0 }} />
      <div className="flex items-baseline justify-between gap-2">
        <BoxName drawn={drawn} isOpen={isOpen} className="truncate" />
        {agent && (
          <span className="flex shrink-0 items-center gap-1 self-center">
            <Status value={agent.status} />
            {members.length === 1 && (
              <span className="nodrag pointer-events-auto -my-1 -mr-1.5 flex">
                <PauseButton agent={agent} isIcon />
              </span>
            )}
          </span>
        )}
      </div>
      <p className="flex justify-between gap-2 text-xs">
        {agent && members.length === 1 && isHeld(agent, info) ? (
          <span className="flex min-w-0 gap-1 overflow-hidden">
            <AgentBadges agent={agent} info={info} />
          </span>
        ) : held && held.paused + held.open + held.failing > 0 ? (
          <span className="flex min-w-0 gap-1 overflow-hidden">
            <GroupBadges held={held} />
          </span>
        ) : (
          <span
            className={`truncate ${gate ? "text-busy" : "text-soft"}`}
            title={gate ? gathered(gate) : node.description}
          >
            {isOutside
              ? `publishes ${node.publishes.join(", ")}`
              : gate
                ? `waits for ${missing(gate) || "its timer"}`
                : members.length > 1
                  ? members.slice(0, 4).join(", ")
                  : node.description}
          </span>
        )}
        {rate && <span className="shrink-0 text-soft tabular-nums">{rate.started}/min</span>}
      </p>
      {agent && <AgentCounts agent={agent} />}
      <Handle type="source" position={Position.Right} isConnectable={false} style={{ opacity: 0 }} />
    </div>
  );
}

/** Failures of the last minute tint a node. */
function heatOf(rate: Rate | undefined): string | undefined {
  if (!rate || rate.failed === 0) return undefined;
  const share = Math.round((rate.failed / Math.max(1, rate.ended)) * 24) + 6;
  return `color-mix(in srgb, var(--bad) ${share}%, var(--card))`;
}

/** A group of agents as one node. */
function summed(agents: readonly (AgentState | undefined)[]): AgentState | undefined {
  const known = agents.filter((agent) => agent !== undefined);
  if (known.length <= 1) return known[0];
  const counters = { ...(known[0] as AgentState).counters };
  for (const agent of known.slice(1)) {
    for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] += agent.counters[name];
  }
  return { ...(known[0] as AgentState), counters, status: statusOf(known.map(({ status }) => status)) };
}
