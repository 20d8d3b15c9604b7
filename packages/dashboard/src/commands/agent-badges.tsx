import type { AgentInfo, AgentState } from "@flock-ts/protocol";
import { CircleAlert, Pause, Rows3, ZapOff } from "lucide-react";
import type { ReactNode } from "react";
import { useSession } from "../session/tab-session.ts";
import { clock } from "../ui/format.ts";

/** What holds an agent back: whether it is paused, how many runs wait, how its circuit stands. Nothing when nothing does. */
export function AgentBadges({ agent, info, isShort = false }: AgentBadgesProps) {
  // What only the server knows, it knows of now.
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
  /** Whether there is no room for more than what it is. */
  readonly isShort?: boolean;
}

/** How many of several agents are held back, or have failed. */
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

/** What holds several agents back that stand as one, each with how many they are. Nothing when nothing does. */
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

/** Whether something holds an agent back, so that there are badges. */
export function isHeld(agent: AgentState, info: AgentInfo | undefined): boolean {
  return agent.paused === true || agent.circuit !== undefined || queuedOf(agent, info) > 0;
}

/** How many runs of an agent wait, as far as the viewer may know. */
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
