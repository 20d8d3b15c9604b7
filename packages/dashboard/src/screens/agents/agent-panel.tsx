import type { AgentCircuit, AgentInfo, AgentState, GateState } from "@flock-ts/protocol";
import { Unplug, X } from "lucide-react";
import { useMemo } from "react";
import { AgentBadges } from "../../commands/agent-badges.tsx";
import { PauseButton } from "../../commands/buttons.tsx";
import { useAgentInfos } from "../../queries/agents.ts";
import { Link } from "../../router/link.tsx";
import { pathOf } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { Fact } from "../../ui/fact.tsx";
import { clock, duration, short } from "../../ui/format.ts";
import { gathered, missing } from "../../ui/gate-words.ts";
import { Status } from "../../ui/status.tsx";
import { useThrottled } from "../../ui/use-throttled.ts";
import type { Rate } from "./rates.ts";

/** The number of gates and runs listed. */
const LISTED = 8;
const ROW_PX = 28;

/** Details of one agent: its activity, and what it waits for. */
export function AgentPanel({ name, gates, rate, close }: AgentPanelProps) {
  const agent = useSession(({ state }) => state.agents.get(name));
  const info = useAgentInfos().get(name);
  const runs = useThrottled(
    useSession(({ state }) => state.runs),
    500,
  );
  const mine = useMemo(
    () =>
      [...runs.values()]
        .filter(({ agent_id }) => agent_id === name)
        .slice(-LISTED)
        .reverse(),
    [runs, name],
  );
  if (!agent) {
    return (
      <aside aria-label={`Agent ${name}`} className="p-4 text-sm text-soft">
        No agent {name} at this seq. <Link href={pathOf("agents")}>Show all</Link>
      </aside>
    );
  }
  const { counters } = agent;
  const ended = counters.succeeded + counters.failed;
  return (
    <aside aria-label={`Agent ${name}`} className="flex flex-col gap-4 p-4 text-sm">
      <header className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 text-lg font-semibold break-words">{name}</h2>
        <Status value={agent.status} />
        <button type="button" aria-label="Close" onClick={close} className="rounded-lg p-1 text-soft hover:text-ink">
          <X size={16} aria-hidden="true" />
        </button>
      </header>
      <p className="text-soft">{agent.description}</p>
      <div className="flex flex-wrap items-center gap-2">
        <AgentBadges agent={withoutCircuit(agent)} info={info} />
        <PauseButton agent={agent} />
        <Link
          href={pathOf("control", undefined, { invoke: name })}
          className="inline-flex h-7 items-center rounded-lg border border-line px-2 text-xs hover:border-accent"
        >
          Invoke…
        </Link>
      </div>
      {agent.circuit && <Circuit circuit={agent.circuit} />}
      <dl className="grid grid-cols-3 gap-3">
        <Fact name="Runs">{counters.started.toLocaleString("en")}</Fact>
        <Fact name="Failed">
          <span className={counters.failed > 0 ? "text-bad" : ""}>{counters.failed.toLocaleString("en")}</span>
        </Fact>
        <Fact name="Mean time">{ended === 0 ? "–" : duration(counters.duration_ms / ended)}</Fact>
        <Fact name="Runs/min">{rate?.started ?? 0}</Fact>
        <Fact name="Concurrency">{info?.concurrency ?? "–"}</Fact>
        <Fact name="Running">{counters.running}</Fact>
      </dl>
      <section aria-label="Waiting for">
        <h3 className="mb-1 font-medium">Waiting for</h3>
        <Waiting consumes={agent.consumes} gates={gates} info={info} />
      </section>
      {agent.last_error && (
        <section aria-label="Last error">
          <h3 className="mb-1 font-medium">Last error</h3>
          <p className="rounded-lg border border-bad p-2 font-mono text-xs break-words text-bad">
            {agent.last_error.name}: {agent.last_error.message}
          </p>
        </section>
      )}
      <section aria-label="Latest runs">
        <h3 className="mb-1 flex justify-between font-medium">
          Latest runs
          <Link
            href={pathOf("runs", undefined, { agent: name })}
            className="inline-block leading-6 font-normal text-accent underline"
          >
            All runs
          </Link>
        </h3>
        {mine.length === 0 && <p className="text-soft">No runs yet.</p>}
        <ul style={{ height: mine.length * ROW_PX }} className="relative">
          {mine.map((run, index) => (
            <li
              key={run.run_id}
              style={{ transform: `translateY(${index * ROW_PX}px)` }}
              className="absolute inset-x-0"
            >
              <Link
                href={pathOf("runs", run.run_id)}
                style={{ height: ROW_PX }}
                className="flex items-center gap-2 rounded-md px-1 tabular-nums hover:bg-sunken"
              >
                <span className="text-xs text-soft">{clock(run.started_at)}</span>
                <span className="ml-auto text-xs text-soft">
                  {run.duration_ms === undefined ? "" : duration(run.duration_ms)}
                </span>
                <Status value={run.status} />
              </Link>
            </li>
          ))}
        </ul>
      </section>
    </aside>
  );
}

interface AgentPanelProps {
  readonly name: string;
  readonly gates: readonly GateState[];
  readonly rate: Rate | undefined;
  readonly close: () => void;
}

/** The circuit state has its own paragraph. */
function withoutCircuit({ circuit: _circuit, ...agent }: AgentState): AgentState {
  return agent;
}

/** Explains an open or half-open circuit. */
function Circuit({ circuit: { state, failures, retry_at } }: { circuit: AgentCircuit }) {
  return (
    <p className="flex items-center gap-2 rounded-lg border border-bad p-2 text-xs text-bad">
      <Unplug size={14} aria-hidden="true" className="shrink-0" />
      <span>
        <strong className="font-medium">{state === "open" ? "Circuit open" : "Circuit half-open"}</strong>
        {state === "half_open"
          ? ": one trial run checks whether the agent works again. Other runs are on hold."
          : `: ${failures === undefined ? "repeated failures" : `${failures} failures in a row`}. New runs are on hold${retry_at === undefined ? "" : ` until ${clock(retry_at)}`}.`}
      </span>
    </p>
  );
}

function Waiting({ consumes, gates, info }: WaitingProps) {
  const dropped = info?.subscriptions.reduce((sum, { waiting }) => sum + (waiting?.dropped ?? 0), 0) ?? 0;
  const conditions = info?.subscriptions.flatMap(conditionsOf) ?? [];
  return (
    <>
      {gates.length === 0 ? (
        <p className="text-soft">
          Nothing collected yet. It runs when {consumes.join(" and ") || "you invoke it"}
          {consumes.length > 0 && " is published"}.
        </p>
      ) : (
        <ul className="grid gap-1.5">
          {gates
            .slice(-LISTED)
            .reverse()
            .map((gate) => (
              <li key={`${gate.gate} ${gate.key ?? ""}`} className="rounded-lg border border-line p-2">
                <p>
                  Waiting for <strong className="font-medium">{missing(gate) || "its timer"}</strong>
                </p>
                <p className="text-xs text-soft tabular-nums">
                  {gathered(gate)}
                  {gate.key !== undefined && ` · key ${short(gate.key)}`}
                  {gate.dropped !== undefined && ` · ${gate.dropped} dropped, ${gate.reason}`}
                </p>
              </li>
            ))}
        </ul>
      )}
      {gates.length > LISTED && <p className="mt-1 text-xs text-soft">and {gates.length - LISTED} more</p>}
      {conditions.length > 0 && (
        <ul className="mt-2 list-disc pl-4 text-xs text-soft">
          {conditions.map((condition) => (
            <li key={condition}>{condition}</li>
          ))}
        </ul>
      )}
      {dropped > 0 && (
        <p className="mt-1 text-xs text-busy">{dropped.toLocaleString("en")} artifacts were dropped from its gates.</p>
      )}
    </>
  );
}

interface WaitingProps {
  readonly consumes: readonly string[];
  readonly gates: readonly GateState[];
  readonly info: AgentInfo | undefined;
}

/** Describes the further conditions of a subscription. */
function conditionsOf({
  tags,
  join,
  filtered,
  within_ms,
  within_artifacts,
  batch,
}: AgentInfo["subscriptions"][number]) {
  return [
    tags.length > 0 ? `only artifacts with the tags ${tags.join(", ")}` : "",
    join === "correlation" ? "only artifacts of the same workflow together" : "",
    join === "key" ? "only artifacts with the same key together" : "",
    filtered ? "only artifacts that match its `where`" : "",
    within_ms !== undefined ? `artifacts at most ${duration(within_ms)} apart` : "",
    within_artifacts !== undefined ? `artifacts within ${within_artifacts} of each other` : "",
    batch
      ? `batches of ${batch.size}${batch.timeout_ms === undefined ? "" : `, or after ${duration(batch.timeout_ms)}`}`
      : "",
  ].filter(Boolean);
}
