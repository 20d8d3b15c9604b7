import type { RunState } from "@flock/protocol";
import { ArrowLeft } from "lucide-react";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { clock, duration, short } from "../format.ts";
import { Link } from "../link.tsx";
import { useLive } from "../live.ts";
import { Empty, Fact, Split, Status } from "../parts.tsx";
import { pathOf } from "../routing.ts";

/** Runs on the list; older ones are reached by their id. */
const LISTED = 300;

export function RunsScreen({ id }: { id: string | undefined }) {
  const runs = useLive(({ state }) => state.runs);
  const newest = useMemo(
    () => [...runs.values()].sort((a, b) => b.started_at.localeCompare(a.started_at)).slice(0, LISTED),
    [runs],
  );
  if (newest.length === 0 && id === undefined) {
    return <Empty>No agent has run yet. Publish an artifact that one of them consumes, and watch it work here.</Empty>;
  }
  // Nothing chosen: what happens now.
  const shown = id === undefined ? newest[0] : runs.get(id);
  return (
    <Split
      showsDetail={id !== undefined}
      list={
        <ul aria-label="Runs">
          {newest.map((run) => (
            <li key={run.run_id}>
              <Link
                href={pathOf("runs", run.run_id)}
                aria-current={run === shown ? "true" : undefined}
                className={`block border-b border-line px-4 py-2.5 hover:bg-sunken ${run === shown ? "bg-sunken" : ""}`}
              >
                <span className="flex items-baseline justify-between gap-2">
                  <span className="truncate font-medium">{run.agent_id}</span>
                  <Status value={run.status} />
                </span>
                <span className="flex justify-between gap-2 text-xs text-soft tabular-nums">
                  <span>{clock(run.started_at)}</span>
                  <span>{run.duration_ms === undefined ? "" : duration(run.duration_ms)}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      }
      detail={shown ? <Run key={shown.run_id} run={shown} /> : <Empty>This run is not known here any more.</Empty>}
    />
  );
}

function Run({ run }: { run: RunState }) {
  return (
    <article className="flex min-h-full flex-col gap-4 p-4 md:p-6" aria-label={`Run of ${run.agent_id}`}>
      <Link href="/runs" className="flex items-center gap-1 text-sm text-soft md:hidden">
        <ArrowLeft size={16} aria-hidden="true" /> All runs
      </Link>
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="text-lg font-semibold">{run.agent_id}</h1>
        <Status value={run.status} />
        {run.status === "running" && <Cancel runId={run.run_id} />}
      </header>
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Fact name="Started">{clock(run.started_at)}</Fact>
        <Fact name="Took">{run.duration_ms === undefined ? "still runs" : duration(run.duration_ms)}</Fact>
        <Fact name="Run">{short(run.run_id)}</Fact>
        <Fact name="Workflow">{short(run.correlation_id)}</Fact>
      </dl>
      {run.error && (
        <p role="alert" className="rounded-xl border border-bad p-3 text-sm text-bad">
          {run.error.name}: {run.error.message}
        </p>
      )}
      <Output run={run} />
      <Lineage name="Consumed" ids={run.consumed} />
      <Lineage name="Published" ids={run.produced} />
    </article>
  );
}

/** The stream as it comes. Stays at its end, until the reader scrolls up. */
function Output({ run: { stream, status } }: { run: RunState }) {
  const box = useRef<HTMLPreElement>(null);
  const sticks = useRef(true);
  const text = stream?.text ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: to scroll is what new text asks for
  useLayoutEffect(() => {
    if (sticks.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  if (text === "") {
    return (
      <p className="text-sm text-soft">{status === "running" ? "No output yet." : "This run streamed no output."}</p>
    );
  }
  return (
    <section aria-label="Output">
      <h2 className="mb-1.5 text-sm font-medium text-soft">Output</h2>
      {stream?.broken && <p className="mb-1 text-xs text-busy">The beginning, or a piece, is missing here.</p>}
      <pre
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          sticks.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
        className="max-h-[55vh] overflow-y-auto rounded-xl border border-line bg-card p-4 font-mono text-sm leading-6 whitespace-pre-wrap break-words"
      >
        {text}
        {status === "running" && <span className="text-busy">▍</span>}
      </pre>
    </section>
  );
}

function Cancel({ runId }: { runId: string }) {
  const client = useLive(({ client }) => client);
  const [error, setError] = useState<string | null>(null);
  return (
    <>
      <button
        type="button"
        className="rounded-lg border border-line px-2.5 py-1 text-sm"
        onClick={() => client?.cancel({ run_id: runId }).catch((reason: Error) => setError(reason.message))}
      >
        Cancel
      </button>
      {error && <span className="text-sm text-bad">{error}</span>}
    </>
  );
}

function Lineage({ name, ids }: { name: string; ids: readonly string[] }) {
  const artifacts = useLive(({ state }) => state.artifacts);
  if (ids.length === 0) return null;
  return (
    <section>
      <h2 className="mb-1 text-sm font-medium text-soft">{name}</h2>
      <ul className="flex flex-wrap gap-2">
        {ids.map((id) => (
          <li key={id}>
            <Link
              href={pathOf("artifacts", id)}
              className="block rounded-lg border border-line bg-card px-2.5 py-1 text-sm hover:border-accent"
            >
              {artifacts.get(id)?.artifact_type ?? short(id)}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
