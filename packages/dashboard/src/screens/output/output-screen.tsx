import { Pin, PinOff } from "lucide-react";
import { memo, useCallback, useRef, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { Link } from "../../router/link.tsx";
import { pathOf, useParam } from "../../router/route.ts";
import { useSession } from "../../session/tab-session.ts";
import { clock } from "../../ui/format.ts";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { Status } from "../../ui/status.tsx";
import { StreamFind } from "../../ui/stream/stream-find.tsx";
import type { StreamPainter } from "../../ui/stream/stream-painter.ts";
import { StreamText } from "../../ui/stream/stream-text.tsx";
import { slotsOf } from "./slots.ts";

/** The number of panes, and their columns on wide screens. */
const COLUMNS: Readonly<Record<number, string>> = {
  1: "",
  2: "lg:grid-cols-2",
  4: "lg:grid-cols-2",
  6: "lg:grid-cols-3",
  9: "lg:grid-cols-3",
};
const COUNTS = Object.keys(COLUMNS).map(Number);

/** The live output of runs, side by side. */
export default function OutputScreen() {
  const [said, setCount] = useParam("panes");
  const count = COUNTS.includes(Number(said)) ? Number(said) : 4;
  const [pinnedParam, setPinned] = useParam("pinned");
  const pinned = pinnedParam.split(",").filter(Boolean);
  const [before, setBefore] = useState<readonly string[]>([]);
  const slots = useSession(useShallow(({ state }) => slotsOf(before, state.runs, count, pinned)));
  if (slots.join() !== before.join()) setBefore(slots);
  const painters = useRef(new Map<string, StreamPainter>());
  const announce = useCallback((runId: string, painter: StreamPainter | undefined) => {
    if (painter) painters.current.set(runId, painter);
    else painters.current.delete(runId);
  }, []);
  const inSight = slots.join();
  const all = useCallback(() => inSight.split(",").flatMap((id) => painters.current.get(id) ?? []), [inSight]);
  if (slots.length === 0) {
    return (
      <NothingYet>
        No output yet.{" "}
        <Link href={pathOf("publish")} className="text-accent underline underline-offset-2">
          Publish an artifact{" "}
        </Link>{" "}
        to trigger an agent and stream its output.
      </NothingYet>
    );
  }
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Live output</h1>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-card px-4 py-2 text-sm">
        <label className="flex items-center gap-2 whitespace-nowrap">
          Panes
          <select
            value={count}
            onChange={(change) => setCount(change.target.value)}
            className="h-8 rounded-lg border border-line bg-card px-2"
          >
            {COUNTS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <p className="truncate text-soft max-lg:hidden">New output replaces the output of ended runs.</p>
        <div className="min-w-0 max-sm:w-full sm:ml-auto">
          <StreamFind painters={all} label="Search all outputs" />
        </div>
      </div>
      <div
        className={`grid min-h-0 flex-1 auto-rows-[minmax(14rem,1fr)] grid-cols-[minmax(0,1fr)] gap-3 overflow-y-auto p-3 ${COLUMNS[count]}`}
      >
        {slots.map((id) => {
          const isPinned = pinned.includes(id);
          return (
            <Pane
              key={id}
              runId={id}
              announce={announce}
              isPinned={isPinned}
              pin={() => setPinned((isPinned ? pinned.filter((one) => one !== id) : [...pinned, id]).join(","))}
            />
          );
        })}
      </div>
    </div>
  );
}

interface PaneProps {
  readonly runId: string;
  readonly announce: (runId: string, painter: StreamPainter | undefined) => void;
  readonly isPinned: boolean;
  readonly pin: () => void;
}

const Pane = memo(function Pane({ runId, announce, isPinned, pin }: PaneProps) {
  // Not the run, whose object changes with each chunk.
  const { agent, status, startedAt } = useSession(
    useShallow(({ state }) => {
      const run = state.runs.get(runId);
      return { agent: run?.agent_id ?? "", status: run?.status ?? "", startedAt: run?.started_at ?? "" };
    }),
  );
  return (
    <section aria-label={`Output of ${agent}`} className="flex min-h-0 min-w-0 flex-col gap-1.5">
      <header className="flex items-center gap-2 px-1 text-sm">
        <Link
          href={pathOf("runs", runId)}
          className="truncate font-medium underline-offset-2 hover:underline"
          title={`Run of ${agent}`}
        >
          {agent}
        </Link>
        <span className="text-xs text-soft tabular-nums">{startedAt && clock(startedAt)}</span>
        <span className="ml-auto">
          <Status value={status} />
        </span>
        <button
          type="button"
          aria-pressed={isPinned}
          aria-label={`Pin the output of ${agent}`}
          onClick={pin}
          className="grid size-7 place-items-center rounded-lg text-soft hover:bg-sunken hover:text-ink aria-pressed:text-accent"
        >
          {isPinned ? <PinOff size={14} aria-hidden="true" /> : <Pin size={14} aria-hidden="true" />}
        </button>
      </header>
      <StreamText runId={runId} announce={announce} className="flex-1" />
    </section>
  );
});
