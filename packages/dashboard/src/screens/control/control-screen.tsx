import type { AgentInfo, AgentState, RunState } from "@flock-ts/protocol";
import { lazy, memo, Suspense, useEffect, useMemo, useState } from "react";
import { AgentBadges } from "../../commands/agent-badges.tsx";
import { AnswerLine } from "../../commands/answers.tsx";
import { CancelRunButton, CancelWorkflowButton, PauseAllButtons, PauseButton } from "../../commands/buttons.tsx";
import { useActions } from "../../commands/tab-actions.ts";
import { waitingForRetry } from "../../commands/waiting-for-retry.ts";
import { useOwnerOnly, useWhyNot } from "../../commands/why-not.ts";
import { useAgentInfos } from "../../queries/agents.ts";
import { Link } from "../../router/link.tsx";
import { pathOf, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { useThrottledState } from "../../session/throttled-state.ts";
import { clock, duration, short } from "../../ui/format.ts";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { Status } from "../../ui/status.tsx";
import { useThrottled } from "../../ui/use-throttled.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { Orphans } from "./orphans.tsx";
import { runSlots } from "./run-slots.ts";

// Loaded on demand, because the forms are most of this screen's code.
const Invoke = lazy(() => import("./invoke.tsx").then(({ Invoke }) => ({ default: Invoke })));

/** The number of runs listed. The Runs screen lists all. */
const LISTED = 100;
/** The number of results shown at first. */
const ANSWERS = 3;

/** Controls for agents, runs and dead letters in one place. */
export default function ControlScreen() {
  const { invoke } = useRoute().params;
  const complete = useSession(({ complete }) => complete);
  const isEmpty = useSession(({ state }) => state.agents.size === 0);
  if (!complete && isEmpty) return <Skeleton />;
  if (invoke !== undefined) {
    return (
      <Suspense fallback={<Skeleton />}>
        <Invoke key={invoke} agent={invoke} />
      </Suspense>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <div tabIndex={0} className="h-full overflow-y-auto -outline-offset-2">
      <div className="mx-auto flex max-w-[100rem] flex-col gap-5 p-4 md:p-6">
        <h1 className="sr-only">Control</h1>
        <WhyNot />
        <Answers />
        {isEmpty ? (
          <NothingYet>No agents yet. Declare one with flock.agent("name").</NothingYet>
        ) : (
          <div className="grid gap-5 xl:grid-cols-2">
            <Agents />
            <div className="flex min-w-0 flex-col gap-5">
              <div className={`${CARD} h-[clamp(9rem,24vh,24rem)] scroll-pt-12 overflow-y-auto`}>
                <Running />
                <Retrying />
              </div>
              <Orphans />
              <DeadLetters />
            </div>
          </div>
        )}
      </div>
    </div>
  );
}

/** The reason why all or some actions are unavailable. */
function WhyNot() {
  const everywhere = useWhyNot();
  const owner = useOwnerOnly();
  const why = everywhere ?? owner;
  return (
    <p role="status" className="rounded-xl border border-busy bg-card px-4 py-2.5 text-sm text-busy empty:hidden">
      {why}
    </p>
  );
}

/** The results of this tab's actions, newest first. */
function Answers() {
  const actions = useActions(({ actions }) => actions);
  const [isAll, setAll] = useState(false);
  const shown = [...actions].reverse().slice(0, isAll ? actions.length : ANSWERS);
  return (
    <section
      aria-label="Action results"
      role="status"
      className={actions.length === 0 ? "sr-only" : "rounded-xl border border-line bg-card px-4 py-3"}
    >
      <ul className="grid gap-2">
        {shown.map((action) => (
          <li key={action.id}>
            <AnswerLine action={action} />
          </li>
        ))}
      </ul>
      {actions.length > ANSWERS && (
        <button
          type="button"
          onClick={() => setAll(!isAll)}
          className="mt-2 text-xs text-accent underline underline-offset-2"
        >
          {isAll ? "Show latest only" : `Show ${actions.length - ANSWERS} earlier`}
        </button>
      )}
    </section>
  );
}

const CARD = "min-w-0 rounded-xl border border-line bg-card";
const HEAD = "flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5";
const TITLE = "mr-auto text-sm font-medium";

function Agents() {
  const agents = useThrottledState(({ agents }) => agents);
  const infos = useAgentInfos();
  const paused = [...agents.values()].filter((agent) => agent.paused).length;
  return (
    <section aria-label="Agents" className={`${CARD} self-start`}>
      <header className={HEAD}>
        <h2 className={TITLE}>
          Agents{" "}
          <span className="font-normal text-soft tabular-nums">
            {agents.size}
            {paused > 0 && `, ${paused} paused`}
          </span>
        </h2>
        <span className="flex gap-1.5">
          <PauseAllButtons />
        </span>
      </header>
      <ul>
        {[...agents.values()].map((agent) => (
          <AgentRow key={agent.agent_id} agent={agent} info={infos.get(agent.agent_id)} />
        ))}
      </ul>
    </section>
  );
}

/** A separate component, because only some of hundreds change at a time. */
const AgentRow = memo(function AgentRow({ agent, info }: { agent: AgentState; info: AgentInfo | undefined }) {
  const { agent_id, status, counters } = agent;
  return (
    <li
      aria-label={agent_id}
      className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-t border-line px-4 py-2 text-sm first:border-t-0"
    >
      <span className="flex min-w-48 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <Link
          href={pathOf("agents", agent_id)}
          title={`Details of ${agent_id}`}
          className="w-36 min-w-0 truncate font-medium hover:underline 2xl:w-52"
        >
          {agent_id}
        </Link>
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <Status value={counters.running > 0 ? "running" : status} />
          {counters.running > 0 && <span className="font-medium text-busy tabular-nums">{counters.running}</span>}
          <AgentBadges agent={agent} info={info} />
        </span>
      </span>
      <span className="flex flex-wrap gap-1.5">
        <PauseButton agent={agent} />
        <Link
          href={pathOf("control", undefined, { invoke: agent_id })}
          aria-label={`Invoke… ${agent_id}`}
          className="inline-flex h-7 items-center rounded-lg border border-line px-2 text-xs hover:border-accent"
        >
          Invoke…
        </Link>
      </span>
    </li>
  );
});

/** The running runs. Each keeps its row, so the longest-running ones are at the top. */
function Running() {
  const runs = useThrottled(
    useSession(({ state }) => state.runs),
    200,
  );
  const running = useMemo(() => [...runs.values()].filter(({ status }) => status === "running"), [runs]);
  const [before, setBefore] = useState<readonly string[]>([]);
  const rows = useMemo(() => runSlots(before, running.slice(0, LISTED).map(idOf)), [before, running]);
  if (rows.join() !== before.join()) setBefore(rows);
  return (
    <section aria-label="Running now">
      <header className={`${HEAD} sticky top-0 bg-card`}>
        <h2 className={TITLE}>
          Running now <span className="font-normal text-soft tabular-nums">{running.length}</span>
        </h2>
      </header>
      {running.length === 0 ? (
        <p className="px-4 py-3 text-sm text-soft">
          No active runs.{" "}
          <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
            Publish an artifact
          </Link>{" "}
          to trigger an agent, or invoke one.
        </p>
      ) : (
        <ul>
          {rows
            .flatMap((id) => runs.get(id) ?? [])
            .map((run) => (
              <RunRow key={run.run_id} run={run}>
                since {clock(run.started_at).slice(0, 8)}, for{" "}
                {run.duration_ms === undefined ? <Since at={run.started_at} /> : duration(run.duration_ms)}
                {run.attempt > 1 && `, attempt ${run.attempt}`}
              </RunRow>
            ))}
        </ul>
      )}
      <More count={running.length - LISTED} />
    </section>
  );
}

/** Failed runs with a scheduled retry. */
function Retrying() {
  const runs = useThrottled(
    useSession(({ state }) => state.runs),
    200,
  );
  const waiting = useMemo(() => waitingForRetry({ runs }), [runs]);
  if (waiting.length === 0) return null;
  return (
    <section aria-label="Waiting for retry">
      <header className={`${HEAD} sticky top-0 border-t bg-card`}>
        <h2 className={TITLE}>
          Waiting for retry <span className="font-normal text-soft tabular-nums">{waiting.length}</span>
        </h2>
      </header>
      <ul>
        {waiting.slice(0, LISTED).map((run) => (
          <RunRow key={run.run_id} run={run}>
            attempt {run.attempt} failed with {run.error?.name ?? run.status}; next attempt{" "}
            <Until at={run.retry_at ?? ""} />
          </RunRow>
        ))}
      </ul>
      <More count={waiting.length - LISTED} />
    </section>
  );
}

function idOf({ run_id }: RunState): string {
  return run_id;
}

function RunRow({ run, children }: { run: RunState; children: React.ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-t border-line px-4 py-2 text-sm first:border-t-0">
      <span className="min-w-48 flex-1">
        <Link href={pathOf("runs", run.run_id)} className="inline-block font-medium leading-6 hover:underline">
          {run.agent_id}
        </Link>
        <span className="block text-xs text-soft tabular-nums">
          {children} · workflow{" "}
          <Link
            href={pathOf("runs", undefined, { workflow: run.correlation_id })}
            title={run.correlation_id}
            className="inline-block font-mono leading-6 text-accent underline underline-offset-2"
          >
            {short(run.correlation_id)}
          </Link>
        </span>
      </span>
      <span className="flex min-h-7 flex-wrap items-center gap-1.5 max-sm:basis-full">
        {run.status === "running" || run.retry_at !== undefined ? (
          <>
            <CancelRunButton run={run} />
            <CancelWorkflowButton id={run.correlation_id} />
          </>
        ) : (
          <Status value={run.status} />
        )}
      </span>
    </li>
  );
}

function More({ count }: { count: number }) {
  if (count <= 0) return null;
  return (
    <p className="border-t border-line px-4 py-2 text-xs text-soft">
      and {count.toLocaleString("en")} more:{" "}
      <Link
        href={pathOf("runs", undefined, { status: "running" })}
        className="text-accent underline underline-offset-2"
      >
        all runs
      </Link>
    </p>
  );
}

/** Returns how long something has been running, updated every second. In the past, up to the moment shown. */
function Since({ at }: { at: string }) {
  const shown = useSession(({ at, log }) => (at === null ? undefined : log.at(-1)?.timestamp));
  const now = useSeconds(shown === undefined);
  return duration(Math.max(0, (shown === undefined ? now : Date.parse(shown)) - Date.parse(at)));
}

/** Returns the time until a moment. */
function Until({ at }: { at: string }) {
  const shown = useSession(({ at, log }) => (at === null ? undefined : log.at(-1)?.timestamp));
  const now = useSeconds(shown === undefined);
  const ms = Date.parse(at) - (shown === undefined ? now : Date.parse(shown));
  return ms > 0 ? `in ${duration(ms)}` : "queued";
}

function useSeconds(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
