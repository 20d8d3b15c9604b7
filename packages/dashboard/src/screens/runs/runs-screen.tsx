import type { RunState } from "@flock-ts/protocol";
import { ArrowLeft } from "lucide-react";
import { useMemo, useState } from "react";
import { CancelRunButton, CancelWorkflowButton, RetryLetterButton } from "../../commands/buttons.tsx";
import { useDeadLetterOf } from "../../queries/dead-letters.ts";
import { Link } from "../../router/link.tsx";
import { type Params, pathOf, useRoute } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { useThrottledState } from "../../session/throttled-state.ts";
import { Chip } from "../../ui/chip.tsx";
import { ErrorView } from "../../ui/error-view.tsx";
import { Fact } from "../../ui/fact.tsx";
import { amount, clock, duration, short } from "../../ui/format.ts";
import { IdFact } from "../../ui/id-fact.tsx";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { useRowList } from "../../ui/row-list.ts";
import { Status } from "../../ui/status.tsx";
import { StreamText } from "../../ui/stream/stream-text.tsx";
import { UNSEEN_WORDS, unseenName, useUnseen } from "../../ui/unseen.ts";
import { useMedia } from "../../ui/use-media.ts";
import { useThrottled } from "../../ui/use-throttled.ts";
import { WorkflowFact } from "../../ui/workflow-fact.tsx";
import { Attempts } from "./attempts.tsx";
import { currentRun } from "./current-run.ts";
import { RunFilter } from "./run-filter.tsx";
import { Steps } from "./steps.tsx";
import { Waterfall } from "./waterfall.tsx";

const ROW_PX = 58;
/** From this number of runs on, the list updates less often than each frame. */
const MANY = 1_000;
/** Animations are off then, and the run shown changes at most once in this time, in ms. */
const FOLLOW_MS = 1_500;

/** All runs, newest first, and the details of one, with its workflow. */
export default function RunsScreen() {
  const { id, params } = useRoute();
  const unseen = useUnseen();
  const runs = useSession(({ state }) => state.runs);
  const calm = useThrottled(runs, runs.size > MANY ? 300 : 0);
  const matching = useMemo(() => newestFirst(calm.values(), params), [calm, params]);
  const [followed, follow] = useState<string>();
  const current = useMemo(() => currentRun(matching, followed), [matching, followed]);
  if (current?.run_id !== followed) follow(current?.run_id);
  // Where runs start very fast, each is shown for a minimum time.
  const calmly = useThrottled(current?.run_id, runs.size > MANY ? FOLLOW_MS : 0);
  const shown = id !== undefined ? runs.get(id) : ((calmly === undefined ? undefined : runs.get(calmly)) ?? current);
  if (runs.size === 0 && id === undefined) {
    return (
      <NothingYet>
        No runs yet.{" "}
        <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
          Publish an artifact
        </Link>{" "}
        to trigger an agent.
      </NothingYet>
    );
  }
  return (
    <div
      className={`grid h-full grid-cols-[minmax(0,1fr)] md:grid-cols-[minmax(15rem,20rem)_minmax(0,1fr)] ${
        runs.size > MANY ? "without-motion" : ""
      }`}
    >
      <div
        className={`min-h-0 flex-col border-line bg-card md:flex md:border-r ${id === undefined ? "flex" : "hidden"}`}
      >
        <h1 className="sr-only">Runs</h1>
        <RunFilter listed={matching.length} />
        {matching.length === 0 ? (
          <NothingYet>No matching runs. Remove a filter to see more.</NothingYet>
        ) : (
          <List runs={matching} shown={shown?.run_id} filter={params} />
        )}
      </div>
      <div className={`min-h-0 min-w-0 overflow-y-auto ${id === undefined ? "max-md:hidden" : ""}`}>
        {shown ? (
          <Run key={shown.run_id} run={shown} filter={params} />
        ) : (
          id !== undefined && (
            <NothingYet>
              No such run at this seq. It may not have started, or be {UNSEEN_WORDS[unseen]}.{" "}
              <Link href={pathOf("runs")} className="text-accent underline underline-offset-2">
                Show latest runs
              </Link>{" "}
            </NothingYet>
          )
        )}
      </div>
    </div>
  );
}

function newestFirst(runs: Iterable<RunState>, { workflow, agent, status, q }: Params): RunState[] {
  const text = q?.toLowerCase();
  return [...runs]
    .filter(
      (run) =>
        (!workflow || run.correlation_id === workflow) &&
        (!agent || run.agent_id === agent) &&
        (!status || (status === "failed" ? isBad(run) : run.status === status)) &&
        (!text || [run.run_id, run.agent_id, run.correlation_id, run.error?.message ?? ""].some(has(text))),
    )
    .sort((a, b) => (a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : 0));
}

function has(text: string): (word: string) => boolean {
  return (word) => word.toLowerCase().includes(text);
}

function isBad({ status }: RunState): boolean {
  return status === "error" || status === "timeout";
}

function List({ runs, shown, filter }: { runs: readonly RunState[]; shown: string | undefined; filter: Params }) {
  const { box, height, rows, handlers } = useRowList(runs, idOf, ROW_PX, shown);
  return (
    <div ref={box} {...handlers} className="min-h-0 flex-1 overflow-y-auto">
      <ul aria-label="Runs" style={{ height }} className="relative">
        {rows.map(({ one: run, key, start, tabIndex }) => {
          const isShown = key === shown;
          return (
            <li key={key} data-row={key} style={{ transform: `translateY(${start}px)` }} className="absolute inset-x-0">
              <Link
                href={pathOf("runs", key, filter)}
                tabIndex={tabIndex}
                aria-current={isShown ? "true" : undefined}
                style={{ height: ROW_PX }}
                className={`block border-b border-l-3 border-b-line px-3.5 py-2 -outline-offset-2 hover:bg-sunken ${
                  isShown ? "border-l-transparent md:border-l-accent md:bg-accent-soft" : "border-l-transparent"
                }`}
              >
                <span className="flex items-baseline justify-between gap-2">
                  <span title={run.agent_id} className="truncate text-sm font-medium">
                    {run.agent_id}
                  </span>
                  <Status value={run.status} />
                </span>
                <span className="flex justify-between gap-2 text-xs text-soft tabular-nums">
                  <span className="truncate">
                    {clock(run.started_at)} · workflow {short(run.correlation_id)}
                  </span>
                  <span className="shrink-0">{run.duration_ms === undefined ? "" : duration(run.duration_ms)}</span>
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function idOf({ run_id }: RunState): string {
  return run_id;
}

/**
 * A run in full. Parts that change while it runs, or with the run that is followed, have a fixed height, so that
 * nothing moves while you read. The steps grow, and are therefore last.
 */
function Run({ run, filter }: { run: RunState; filter: Params }) {
  // Narrow screens do not follow runs, and an error below the chart would be out of view.
  const isWide = useMedia("(min-width: 43.75rem)");
  return (
    <article className="flex min-h-full flex-col gap-4 p-4 md:p-6" aria-label={`Run of ${run.agent_id}`}>
      <Link
        href={pathOf("runs", undefined, filter)}
        className="flex w-fit items-center gap-1 text-sm text-soft md:hidden"
      >
        <ArrowLeft size={16} aria-hidden="true" /> All runs
      </Link>
      <header className="flex min-h-8 items-center gap-3 max-md:flex-wrap">
        <h2 title={run.agent_id} className="truncate text-xl font-semibold tracking-tight">
          {run.agent_id}
        </h2>
        <Status value={run.status} />
        <span className="flex shrink-0 gap-2 md:ml-auto">
          <RunControls run={run} />
        </span>
      </header>
      <dl className="flex flex-wrap gap-x-8 gap-y-3">
        <Fact name="Started">{clock(run.started_at)}</Fact>
        <Fact name="Duration">
          <span className="inline-block min-w-16">
            {run.duration_ms === undefined ? "running" : duration(run.duration_ms)}
          </span>
        </Fact>
        <IdFact name="Run" id={run.run_id} />
        <WorkflowFact
          id={run.correlation_id}
          things="runs"
          href={pathOf("runs", run.run_id, { workflow: run.correlation_id })}
        />
        {Object.entries(run.usage ?? {}).map(([name, spent]) => (
          <Fact key={name} name={name.replaceAll("_", " ")}>
            {amount(spent)}
          </Fact>
        ))}
      </dl>
      {run.error && !isWide && <ErrorView error={run.error} isAlert />}
      <Waterfall correlationId={run.correlation_id} shown={run.run_id} filter={filter} />
      <div className="grid grid-cols-2 gap-4">
        <Artifacts name="Consumed" ids={run.consumed} />
        <Artifacts name="Published" ids={run.produced} isGrowing={run.status === "running"} />
      </div>
      <Outcome run={run} hasError={isWide} />
      <Steps run={run} />
      <Attempts run={run} />
    </article>
  );
}

/** The output stream with notes about missing parts, and the error below it, as in a terminal. */
function Outcome({ run, hasError }: { run: RunState; hasError: boolean }) {
  const { run_id, stream, status } = run;
  const text = stream?.text ?? "";
  const isCut = stream !== undefined && stream.length > text.length && !stream.broken;
  const error = hasError ? run.error : undefined;
  return (
    <section aria-label="Output" className="flex min-h-[max(15rem,28vh)] flex-col gap-1.5">
      <h3 className="text-sm font-medium text-soft">Output</h3>
      {stream?.broken && <p className="text-xs text-busy">Part of this output is missing.</p>}
      {isCut && <p className="text-xs text-soft">Only the end of this output is retained.</p>}
      {text !== "" ? (
        <StreamText runId={run_id} className="flex-1 basis-24" />
      ) : (
        <p className="text-sm text-soft">{status === "running" ? "None yet." : "This run streamed no output."}</p>
      )}
      {error && <ErrorView error={error} isAlert />}
    </section>
  );
}

/** The actions for a run: cancel it or its workflow, or retry its dead letter. */
function RunControls({ run }: { run: RunState }) {
  const letter = useDeadLetterOf(run);
  const isBusy = useThrottledState(({ runs }) => hasWork(runs, run.correlation_id));
  return (
    <>
      {run.status === "running" && <CancelRunButton run={run} />}
      {isBusy && <CancelWorkflowButton id={run.correlation_id} />}
      {letter && <RetryLetterButton letter={letter} />}
    </>
  );
}

function hasWork(runs: ReadonlyMap<string, RunState>, correlationId: string): boolean {
  for (const run of runs.values()) if (run.status === "running" && run.correlation_id === correlationId) return true;
  return false;
}

function Artifacts({ name, ids, isGrowing = false }: ArtifactsProps) {
  const artifacts = useSession(({ state }) => state.artifacts);
  const unseen = useUnseen();
  return (
    <section aria-label={name} className="min-w-0">
      <h3 className="mb-1 text-sm font-medium text-soft">{name}</h3>
      <ul className="flex min-h-8 flex-wrap gap-2">
        {ids.map((id) => (
          <li key={id}>
            <Chip href={pathOf("blackboard", id)} title={artifacts.has(id) ? undefined : UNSEEN_WORDS[unseen]}>
              {artifacts.get(id)?.artifact_type ?? unseenName("artifact", unseen, id)}
            </Chip>
          </li>
        ))}
        {ids.length === 0 && <li className="text-sm text-soft">{isGrowing ? "None yet." : "None."}</li>}
      </ul>
    </section>
  );
}

interface ArtifactsProps {
  readonly name: string;
  readonly ids: readonly string[];
  /** Whether more may arrive. */
  readonly isGrowing?: boolean;
}
