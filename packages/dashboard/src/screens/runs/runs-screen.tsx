import type { RunState } from "@flock/protocol";
import { ArrowLeft } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { command, useLive } from "../../live/store.ts";
import { clock, duration, short } from "../../parts/format.ts";
import { Chip, Fact, ListHead, NothingYet, Row, Split, Status } from "../../parts/parts.tsx";
import { useStickToEnd } from "../../parts/use-stick-to-end.ts";
import { Link } from "../../place/link.tsx";
import { type Params, pathOf, usePlace } from "../../place/place.ts";
import { currentRun } from "./current-run.ts";
import { blocksOf } from "./stream-blocks.ts";

/** Runs on the list; older ones are reached by their id. */
const LISTED = 300;

/** Every run, newest first, and the output of one as it streams. */
export default function RunsScreen() {
  const { id, params: filter } = usePlace();
  const runs = useLive(({ state }) => state.runs);
  const matching = useMemo(() => newestFirst(runs.values(), filter), [runs, filter]);
  const [followed, follow] = useState<string>();
  const current = currentRun(matching, followed);
  if (current?.run_id !== followed) follow(current?.run_id);
  const shown = id === undefined ? current : runs.get(id);
  if (runs.size === 0 && id === undefined) {
    return (
      <NothingYet>
        No agent has run yet.{" "}
        <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
          Publish an artifact
        </Link>{" "}
        that one of them consumes, and watch it work here.
      </NothingYet>
    );
  }
  return (
    <Split
      showsDetail={id !== undefined}
      list={
        <>
          <h1 className="sr-only">Runs</h1>
          <ListHead filter={filter} all={pathOf("runs")} listed={LISTED} total={matching.length} />
          {matching.length === 0 && <NothingYet>No run here yet.</NothingYet>}
          <ul aria-label="Runs">
            {matching.slice(0, LISTED).map((run) => (
              <RunRow
                key={run.run_id}
                run={run}
                isShown={run.run_id === shown?.run_id}
                href={pathOf("runs", run.run_id, filter)}
              />
            ))}
          </ul>
        </>
      }
      detail={
        shown ? (
          <Run key={shown.run_id} run={shown} back={pathOf("runs", undefined, filter)} />
        ) : (
          id !== undefined && (
            <NothingYet>
              This run is not known here. Only the newest runs are kept:{" "}
              <Link href="/runs" className="text-accent underline underline-offset-2">
                show those
              </Link>
              .
            </NothingYet>
          )
        )
      }
    />
  );
}

function newestFirst(runs: Iterable<RunState>, { workflow, agent }: Params): RunState[] {
  return [...runs]
    .filter(
      (run) =>
        (workflow === undefined || run.correlation_id === workflow) && (agent === undefined || run.agent_id === agent),
    )
    .sort((a, b) => (a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : 0));
}

/** Its own component, because of some hundreds only one changes at a time. */
const RunRow = memo(function RunRow({ run, isShown, href }: { run: RunState; isShown: boolean; href: string }) {
  return (
    <Row href={href} isShown={isShown}>
      <span className="flex items-baseline justify-between gap-2">
        <span className="truncate font-medium">{run.agent_id}</span>
        <Status value={run.status} />
      </span>
      <span className="flex justify-between gap-2 text-xs text-soft tabular-nums">
        <span>
          {clock(run.started_at)} · workflow {short(run.correlation_id)}
        </span>
        <span>{run.duration_ms === undefined ? "" : duration(run.duration_ms)}</span>
      </span>
    </Row>
  );
});

function Run({ run, back }: { run: RunState; back: string }) {
  return (
    <article className="flex min-h-full flex-col gap-4 p-4 md:p-6" aria-label={`Run of ${run.agent_id}`}>
      <Link href={back} className="flex w-fit items-center gap-1 text-sm text-soft md:hidden">
        <ArrowLeft size={16} aria-hidden="true" /> All runs
      </Link>
      <header className="flex min-h-8 flex-wrap items-center gap-3">
        <h2 className="text-lg font-semibold">{run.agent_id}</h2>
        <Status value={run.status} />
        {run.status === "running" && <Cancel runId={run.run_id} />}
      </header>
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Fact name="Started">{clock(run.started_at)}</Fact>
        <Fact name="Took">{run.duration_ms === undefined ? "still runs" : duration(run.duration_ms)}</Fact>
        <Fact name="Run">
          <span title={run.run_id}>{short(run.run_id)}</span>
        </Fact>
        <Fact name="Workflow">
          <Link
            href={pathOf("runs", run.run_id, { workflow: run.correlation_id })}
            title={run.correlation_id}
            aria-label={`All runs of workflow ${short(run.correlation_id)}`}
            className="text-accent underline underline-offset-2"
          >
            {short(run.correlation_id)}
          </Link>
        </Fact>
        {run.attempt > 1 && <Fact name="Attempt">{run.attempt}</Fact>}
        {Object.entries(run.usage ?? {}).map(([name, amount]) => (
          <Fact key={name} name={name}>
            {amount.toLocaleString("en")}
          </Fact>
        ))}
      </dl>
      {run.error && (
        <p
          role="alert"
          className="rounded-xl border border-bad bg-card p-3 text-sm break-words whitespace-pre-wrap text-bad"
        >
          {run.error.name}: {run.error.message}
        </p>
      )}
      <Artifacts name="Consumed" ids={run.consumed} />
      <Artifacts name="Published" ids={run.produced} />
      <Output run={run} />
    </article>
  );
}

/** The stream as it comes. Stays at its end, until the reader scrolls up. */
function Output({ run: { stream, status } }: { run: RunState }) {
  const text = stream?.text ?? "";
  const stick = useStickToEnd<HTMLDivElement>(text);
  const blocks = useMemo(() => blocksOf(text), [text]);
  const isCut = stream !== undefined && stream.length > text.length && !stream.broken;
  return (
    <section aria-label="Output">
      <h2 className="mb-1.5 text-sm font-medium text-soft">Output</h2>
      {stream?.broken && <p className="mb-1 text-xs text-busy">A piece of this output is missing here.</p>}
      {isCut && <p className="mb-1 text-xs text-soft">Only the end of this long output is kept here.</p>}
      {text === "" ? (
        <p className="text-sm text-soft">{status === "running" ? "None yet." : "This run streamed none."}</p>
      ) : (
        <div
          {...stick}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          role="log"
          aria-label="Streamed text"
          aria-live="off"
          className="max-h-[55vh] overflow-y-auto rounded-xl border border-line bg-card p-4 font-mono text-sm leading-6 break-words whitespace-pre-wrap"
        >
          {blocks.map((block, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
            <Block key={index} text={block} />
          ))}
        </div>
      )}
    </section>
  );
}

const Block = memo(function Block({ text }: { text: string }) {
  return <div className="min-h-6">{text}</div>;
});

function Cancel({ runId }: { runId: string }) {
  const [error, setError] = useState<string | null>(null);
  const [isAsked, setAsked] = useState(false);
  const cancel = async () => {
    setAsked(true);
    setError(null);
    try {
      await command("cancel", { run_id: runId });
    } catch (reason) {
      setAsked(false);
      setError((reason as Error).message);
    }
  };
  return (
    <>
      <button
        type="button"
        disabled={isAsked}
        className="rounded-lg border border-line bg-card px-2.5 py-1 text-sm hover:border-bad hover:text-bad disabled:text-soft"
        onClick={() => void cancel()}
      >
        {isAsked ? "Cancelling…" : "Cancel"}
      </button>
      {error && (
        <span role="alert" className="text-sm text-bad">
          {error}
        </span>
      )}
    </>
  );
}

function Artifacts({ name, ids }: { name: string; ids: readonly string[] }) {
  const artifacts = useLive(({ state }) => state.artifacts);
  if (ids.length === 0) return null;
  return (
    <section aria-label={name}>
      <h2 className="mb-1 text-sm font-medium text-soft">{name}</h2>
      <ul className="flex flex-wrap gap-2">
        {ids.map((id) => (
          <li key={id}>
            <Chip href={pathOf("blackboard", id)}>{artifacts.get(id)?.artifact_type ?? short(id)}</Chip>
          </li>
        ))}
      </ul>
    </section>
  );
}
