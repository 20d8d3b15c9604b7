import type { FlockEvent } from "@flock-ts/protocol";
import { ArrowDown, Copy, EyeOff, History, Pause, Play, X } from "lucide-react";
import { memo, type UIEvent, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { JsonViewer } from "../../json/json-viewer.tsx";
import { hiddenWords, useHidden } from "../../queries/hidden.ts";
import { adjust, type Params, useRoute } from "../../router/route.ts";
import { session, timeTravel, useSession } from "../../session/tab-session.ts";
import { isFailure } from "../../timeline/failure.ts";
import { hiddenIn } from "../../timeline/hidden-seqs.ts";
import type { Log } from "../../timeline/log.ts";
import { clock, short } from "../../ui/format.ts";
import { NothingYet } from "../../ui/nothing-yet.tsx";
import { useVisibleRows } from "../../ui/use-visible-rows.ts";
import { EventFilter } from "./event-filter.tsx";
import { lineOf } from "./event-line.ts";
import { colorOf, EventMark } from "./event-mark.tsx";
import { type Absent, absentWords, type LogRow, LogRows } from "./log-rows.ts";
import { MatchingEvents, type Wanted, wantedOf } from "./matching-events.ts";

const ROW_PX = 30;

/** The log as it was when it was paused. */
interface Held {
  readonly log: Log;
  /** Scrolling up pauses the view, and scrolling back resumes it. A pause by the button stays. */
  readonly byScrolling: boolean;
}

/** The event log in order. */
export default function EventsScreen() {
  const live = useSession(({ log }) => log);
  const at = useSession(({ at }) => at);
  const { id, params } = useRoute();
  const [held, setHeld] = useState<Held | null>(null);
  const wanted = useDeferredValue(useWanted(params));
  const matching = useMemo(() => new MatchingEvents(wanted, typeOf), [wanted]);
  const log = at === null && held ? held.log : live;
  const shown = useMemo(() => matching.in(log), [matching, log]);
  const hidden = useHidden();
  const rows = useRows(shown, log, held !== null && at === null, matching);
  const openSeq = id !== undefined && /^\d+$/.test(id) ? Number(id) : null;
  const opened = openSeq === null ? undefined : eventAt(log, openSeq);
  const newer = log === live ? 0 : live.length - 1 - live.indexOf(log.at(-1)?.seq ?? 0);
  const hold = () => at === null && setHeld((before) => before ?? { log: live, byScrolling: true });
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Events</h1>
      <EventFilter listed={shown.length}>
        <button
          type="button"
          disabled={at !== null}
          onClick={() => setHeld(held ? null : { log: live, byScrolling: false })}
          aria-pressed={held !== null}
          className="flex h-8 shrink-0 items-center gap-1.5 rounded-lg border border-line bg-card px-2.5 text-sm hover:border-accent disabled:opacity-50 aria-pressed:border-busy aria-pressed:text-busy"
        >
          {held ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
          {held ? "Resume" : "Pause"}
        </button>
      </EventFilter>
      {hidden && hidden.count > 0 && (
        <p className="flex items-center gap-2 border-b border-line bg-card px-3 py-1 text-xs text-soft tabular-nums md:px-4">
          <EyeOff size={13} aria-hidden="true" />
          {hiddenWords(hidden)}
        </p>
      )}
      {rows.length === 0 ? (
        <NothingYet>
          {log.length === 0
            ? "No events yet. Publish an artifact, or run an agent."
            : "No matching events. Remove a filter to see more."}
        </NothingYet>
      ) : (
        <Rows
          shown={rows}
          openSeq={openSeq}
          open={(seq) => {
            adjust({ id: seq === null ? undefined : String(seq) });
            // Opening an event keeps its neighbors in view.
            if (seq !== null) hold();
          }}
          onLeaveEnd={hold}
          onReachEnd={() => setHeld((before) => (before?.byScrolling ? null : before))}
        />
      )}
      {newer > 0 && (
        <button
          type="button"
          onClick={() => setHeld(null)}
          className="flex items-center justify-center gap-1.5 border-t border-line bg-card py-1.5 text-sm text-accent tabular-nums"
        >
          <ArrowDown size={14} aria-hidden="true" /> {newer.toLocaleString("en")} newer
        </button>
      )}
      {opened && <Opened event={opened} close={() => adjust({ id: undefined })} />}
    </div>
  );
}

/** Reads the filter from the URL. Returns the same object while it is unchanged. */
function useWanted({ types = "", agents = "", workflow = "", q = "" }: Params): Wanted {
  return useMemo(() => wantedOf({ types, agents, workflow, q }), [types, agents, workflow, q]);
}

/** Returns the matching events with gap rows between them. `isHeld` ignores new events. */
function useRows(shown: readonly FlockEvent[], log: Log, isHeld: boolean, matching: MatchingEvents): readonly LogRow[] {
  const gaps = useSession(({ gaps }) => gaps);
  const hidden = useHidden();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new cache for another filter
  const rows = useMemo(() => new LogRows(), [matching]);
  return useMemo(() => {
    const last = log.at(-1)?.seq ?? 0;
    const timeline = session.shownTimeline;
    const isWhole = shown.length === log.length;
    return rows.of(shown, {
      log: timeline.log(),
      gaps: gaps.filter(({ from_seq }) => from_seq <= last),
      // Hidden events cannot be matched against a filter.
      ...(hidden?.isPlaced && isWhole
        ? { hidden: { numbers: hiddenIn(timeline), from: hidden.from, to: isHeld ? last : hidden.to } }
        : {}),
    });
  }, [rows, shown, log, gaps, hidden, isHeld]);
}

function eventAt(log: Log, seq: number): FlockEvent | undefined {
  const event = log.at(log.indexOf(seq));
  return event?.seq === seq ? event : undefined;
}

interface RowsProps {
  readonly shown: readonly LogRow[];
  readonly openSeq: number | null;
  readonly open: (seq: number | null) => void;
  readonly onLeaveEnd: () => void;
  readonly onReachEnd: () => void;
}

/** A list that renders only visible rows, and follows the newest event until the user scrolls up. */
function Rows({ shown, openSeq, open, onLeaveEnd, onReachEnd }: RowsProps) {
  // A link to an event scrolls to it.
  const follows = useRef(openSeq === null);
  const lastTop = useRef(0);
  const { box, element, rows, total, show } = useVisibleRows<HTMLDivElement>(shown.length, ROW_PX, {
    spare: 12,
    isAtEnd: follows.current,
  });
  const newest = seqOf(shown.at(-1));
  const hasLooked = useRef(openSeq === null);
  useEffect(() => {
    if (hasLooked.current) return;
    const index = shown.findIndex((row) => seqOf(row) === openSeq);
    if (index < 0) return;
    hasLooked.current = true;
    show(index, "middle");
  }, [shown, openSeq, show]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: following depends on the newest event and the element only
  useLayoutEffect(() => {
    if (follows.current) show(shown.length - 1, "end");
  }, [newest, shown.length, element]);
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent<HTMLDivElement>) => {
    if (scrollHeight - scrollTop - clientHeight < 2 * ROW_PX) {
      follows.current = true;
      onReachEnd();
    } else if (scrollTop < lastTop.current) {
      // Only the user scrolls up. A larger distance from the end may also result from a new row.
      follows.current = false;
      onLeaveEnd();
    }
    lastTop.current = scrollTop;
  };
  const move = (count: number) => {
    let next = openSeq === null ? shown.length : shown.findIndex((row) => seqOf(row) === openSeq);
    // Gap rows cannot be opened.
    do next += count;
    while (next >= 0 && next < shown.length && isAbsent(shown[next]));
    const row = shown[next];
    if (row === undefined || isAbsent(row)) return;
    follows.current = false;
    open(row.seq);
    show(next);
  };
  return (
    <div
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
      tabIndex={0}
      role="log"
      aria-label="Events"
      aria-live="off"
      onScroll={onScroll}
      onKeyDown={(event) => {
        if (event.key === "Escape") open(null);
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      }}
      className="min-h-0 flex-1 overflow-y-auto text-sm -outline-offset-2"
    >
      <div style={{ height: total }} className="relative">
        {rows.map(({ index, start }) => {
          const event = shown[index] as LogRow;
          if (isAbsent(event)) {
            return (
              <p
                key={`${event.absent} ${event.before}`}
                style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
                className="absolute inset-x-0 flex items-center gap-3 border-y border-dashed border-line bg-sunken px-3 pl-[4.9rem] text-soft italic"
              >
                {absentWords(event)}
              </p>
            );
          }
          const isOpen = event.seq === openSeq;
          return (
            <div key={event.seq} style={{ transform: `translateY(${start}px)` }} className="absolute inset-x-0">
              <button
                type="button"
                tabIndex={isOpen ? 0 : -1}
                aria-expanded={isOpen}
                onClick={() => open(isOpen ? null : event.seq)}
                style={{ height: ROW_PX }}
                className={`flex w-full items-center gap-2.5 border-l-3 px-2.5 text-left -outline-offset-2 hover:bg-sunken ${
                  isOpen ? "border-accent bg-accent-soft" : isFailure(event) ? "border-bad" : "border-transparent"
                }`}
              >
                <Line event={event} />
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function isAbsent(row: LogRow | undefined): row is Absent {
  return row !== undefined && "absent" in row;
}

function seqOf(row: LogRow | undefined): number | undefined {
  return isAbsent(row) ? undefined : row?.seq;
}

/** Reads the types of artifacts at the seq shown. */
function typeOf(artifactId: string): string | undefined {
  return useSession.getState().state.artifacts.get(artifactId)?.artifact_type;
}

/** An event's text, time and workflow. A separate component, so that a row renders again only for another event. */
const Line = memo(function Line({ event }: { event: FlockEvent }) {
  const { actor, action, details } = lineOf(event, typeOf);
  const workflow = "correlation_id" in event ? event.correlation_id : undefined;
  return (
    <>
      <span className="min-w-12 shrink-0 text-right font-mono text-xs text-soft tabular-nums">{event.seq}</span>
      <span className="hidden shrink-0 font-mono text-xs text-soft tabular-nums md:block">
        {clock(event.timestamp)}
      </span>
      <EventMark event={event} />
      <span className="min-w-0 flex-1 truncate" title={[actor, action, details].filter(Boolean).join(" ")}>
        {actor && <bdi className="inline-block max-w-64 truncate align-bottom font-medium">{actor}</bdi>}{" "}
        <span className={colorOf(event)}>{action}</span> <bdi className="text-soft">{details}</bdi>
      </span>
      {workflow && (
        <span title={`Workflow ${workflow}`} className="hidden shrink-0 font-mono text-xs text-soft lg:block">
          {short(workflow)}
        </span>
      )}
    </>
  );
});

function Opened({ event, close }: { event: FlockEvent; close: () => void }) {
  const [isCopied, setCopied] = useState(false);
  const correlation = "correlation_id" in event ? event.correlation_id : undefined;
  const button =
    "flex h-7 items-center gap-1.5 rounded-lg border border-line px-2 text-xs text-soft hover:border-accent hover:text-ink";
  return (
    <section
      aria-label={`Event ${event.seq}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
      tabIndex={0}
      onKeyDown={({ key }) => key === "Escape" && close()}
      className="relative max-h-[55%] shrink-0 overflow-y-auto border-t border-line bg-card px-4 pt-2 pb-3 -outline-offset-2 [&_[role=tree]]:max-h-[max(8rem,calc(55vh-15rem))]"
    >
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h2 className="flex-1 text-sm font-medium whitespace-nowrap max-lg:basis-3/4">
          {event.type} <span className="font-mono text-soft tabular-nums">#{event.seq}</span>
        </h2>
        <button type="button" aria-label="Close" onClick={close} className={`${button} lg:order-last`}>
          <X size={14} aria-hidden="true" />
        </button>
        <button type="button" className={button} onClick={() => timeTravel.travelTo(event.seq)}>
          <History size={13} aria-hidden="true" /> Show the state at this seq
        </button>
        {correlation !== undefined && (
          <button type="button" className={button} onClick={() => adjust({ params: { workflow: correlation } })}>
            Only workflow {short(correlation)}
          </button>
        )}
        <button
          type="button"
          className={button}
          onClick={() => void navigator.clipboard.writeText(JSON.stringify(event, null, 2)).then(() => setCopied(true))}
        >
          <Copy size={13} aria-hidden="true" /> {isCopied ? "Copied" : "Copy JSON"}
        </button>
      </div>
      <JsonViewer key={event.seq} source={{ value: event }} label="JSON" />
    </section>
  );
}
