import type { AgentInfo, AgentState } from "@flock-ts/protocol";
import { CircleAlert, Pause, Rows3, ZapOff } from "lucide-react";
import type { ReactNode } from "react";
import { useSession } from "../session/tab-session.ts";
import { clock } from "../ui/format.ts";

/** Badges for what blocks an agent: paused, queued runs, circuit state. Renders nothing for an unblocked agent. */
export function AgentBadges({ agent, info, isShort = false }: AgentBadgesProps) {
  // Only the server has this data, and only for the current state.
  const isNow = useSession(({ at, file }) => at === null && file === null);
  const queued = queuedOf(agent, isNow ? info : undefined);
  const { circuit } = agent;
  return (
    <>
      {agent.paused && (
        <Badge icon={Pause} title="No new runs until you resume it">
          paused
        </Badge>
      )}
      {queued > 0 && (
        <Badge
          icon={Rows3}
          title={`${queued === 1 ? "1 run is" : `${queued} runs are`} waiting for ${agent.paused ? "the agent to resume" : "a free slot"}`}
        >
          {queued.toLocaleString("en")} queued
        </Badge>
      )}
      {circuit && (
        <Badge icon={ZapOff} title="Repeated failures: new runs are on hold" isBad>
          {circuit.state === "half_open"
            ? `circuit half-open${isShort ? "" : ": one trial run"}`
            : `circuit open${isShort || circuit.retry_at === undefined ? "" : ` until ${clock(circuit.retry_at).slice(0, 8)}`}`}
        </Badge>
      )}
    </>
  );
}

interface AgentBadgesProps {
  readonly agent: AgentState;
  readonly info?: AgentInfo | undefined;
  /** Whether to use short labels. */
  readonly isShort?: boolean;
}

/** Counts of blocked and failing agents in a group. */
export interface Held {
  readonly paused: number;
  readonly open: number;
  readonly failing: number;
}

export function heldOf(agents: readonly AgentState[]): Held {
  const count = (isSo: (agent: AgentState) => boolean) => agents.filter(isSo).length;
  return {
    paused: count(({ paused }) => paused === true),
    open: count(({ circuit }) => circuit !== undefined),
    failing: count(({ status }) => status === "error"),
  };
}

/** Badges for a group of agents, each with a count. Renders nothing when no agent is blocked or failing. */
export function GroupBadges({ held: { paused, open, failing } }: { held: Held }) {
  return (
    <>
      {failing > 0 && (
        <Badge icon={CircleAlert} title="Agents whose latest run failed" isBad>
          {failing.toLocaleString("en")} failing
        </Badge>
      )}
      {paused > 0 && (
        <Badge icon={Pause} title="Paused agents: no new runs until you resume them">
          {paused.toLocaleString("en")} paused
        </Badge>
      )}
      {open > 0 && (
        <Badge icon={ZapOff} title="Agents with an open circuit after repeated failures: new runs are on hold" isBad>
          {open.toLocaleString("en")} {open === 1 ? "circuit" : "circuits"} open
        </Badge>
      )}
    </>
  );
}

/** Whether an agent has badges. */
export function isHeld(agent: AgentState, info: AgentInfo | undefined): boolean {
  return agent.paused === true || agent.circuit !== undefined || queuedOf(agent, info) > 0;
}

/** Returns the number of queued runs of an agent that the viewer may see. */
export function queuedOf(agent: AgentState, info: AgentInfo | undefined): number {
  return info?.queued ?? agent.queued ?? 0;
}

function Badge({ icon: Icon, title, isBad = false, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={`inline-flex items-center gap-1 rounded-full border bg-card px-1.5 text-xs whitespace-nowrap tabular-nums ${
        isBad ? "border-bad text-bad" : "border-busy text-busy"
      }`}
    >
      <Icon size={11} aria-hidden="true" />
      {children}
    </span>
  );
}

interface BadgeProps {
  readonly icon: typeof Pause;
  readonly title: string;
  readonly isBad?: boolean;
  readonly children: ReactNode;
}
