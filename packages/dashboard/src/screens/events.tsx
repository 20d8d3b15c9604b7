import type { FlockEvent } from "@flock/protocol";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, Pause, Play, X } from "lucide-react";
import { type UIEvent, useEffect, useMemo, useRef, useState } from "react";
import { EVENT_TYPE_CHOICES, eventMatches, lineOf } from "../event-line.ts";
import { clock } from "../format.ts";
import { KEPT_EVENTS, useLive } from "../live.ts";
import { NothingYet } from "../parts.tsx";
import { Tree } from "../payload.tsx";

const ROW_PX = 34;
const FIELD = "rounded-lg border border-line bg-card px-2.5 py-1.5 text-sm";

/** What is shown while new events are not: the log as it was then. */
interface Held {
  readonly events: readonly FlockEvent[];
  /** Scrolling up holds the view, and scrolling back lets it go; the button's hold stays. */
  readonly byScrolling: boolean;
}

/** The log itself: what happened, in the order in which it happened. */
export function EventsScreen() {
  const live = useLive(({ events }) => events);
  const [held, setHeld] = useState<Held | null>(null);
  const [type, setType] = useState("");
  const [text, setText] = useState("");
  const [openSeq, setOpenSeq] = useState<number | null>(null);
  const events = held?.events ?? live;
  const shown = useMemo(() => events.filter((event) => eventMatches(event, type, text)), [events, type, text]);
  const opened = openSeq === null ? undefined : events.find(({ seq }) => seq === openSeq);
  const lastHeld = held?.events.at(-1)?.seq ?? 0;
  const newer = held ? live.length - 1 - live.findLastIndex(({ seq }) => seq <= lastHeld) : 0;
  const hold = () => setHeld((before) => before ?? { events: live, byScrolling: true });
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Events</h1>
      <div className="grid grid-cols-[1fr_auto] items-center gap-2 border-b border-line bg-card px-4 py-2 md:grid-cols-[auto_1fr_auto_minmax(9rem,auto)]">
        <select aria-label="Event type" value={type} onChange={(e) => setType(e.target.value)} className={FIELD}>
          <option value="">All types</option>
          {EVENT_TYPE_CHOICES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search"
          value={text}
          onChange={(e) => setText(e.target.value)}
          className={`${FIELD} order-last col-span-2 min-w-0 md:order-none md:col-span-1`}
        />
        <button
          type="button"
          onClick={() => setHeld(held ? null : { events: live, byScrolling: false })}
          className={`${FIELD} flex w-28 items-center justify-center gap-1.5`}
        >
          {held ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
          {held ? "Resume" : "Pause"}
        </button>
        <span className="order-last col-span-2 text-sm text-soft tabular-nums md:col-span-1">
          {shown.length.toLocaleString("en")} events
          {events.length >= KEPT_EVENTS && ` of the newest ${events.length.toLocaleString("en")}`}
        </span>
      </div>
      {shown.length === 0 ? (
        <NothingYet>
          {events.length === 0
            ? "Nothing has happened yet. Events appear here as they come."
            : "No event is like that. Choose another type, or search for less."}
        </NothingYet>
      ) : (
        <Log
          shown={shown}
          openSeq={openSeq}
          open={(seq) => {
            setOpenSeq(seq);
            // Whoever looks at an event wants its neighbours to stay.
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
      {opened && <Opened event={opened} close={() => setOpenSeq(null)} />}
    </div>
  );
}

interface LogProps {
  readonly shown: readonly FlockEvent[];
  readonly openSeq: number | null;
  readonly open: (seq: number | null) => void;
  readonly onLeaveEnd: () => void;
  readonly onReachEnd: () => void;
}

/** Only the rows that are in sight are painted. It follows the newest event until the reader scrolls up. */
function Log({ shown, openSeq, open, onLeaveEnd, onReachEnd }: LogProps) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
  });
  const newest = shown.at(-1)?.seq;
  // biome-ignore lint/correctness/useExhaustiveDependencies: to follow is what another newest event asks for
  useEffect(() => {
    if (follows.current) rows.scrollToIndex(shown.length - 1, { align: "end" });
  }, [newest, shown.length, rows]);
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent<HTMLDivElement>) => {
    if (scrollHeight - scrollTop - clientHeight < 2 * ROW_PX) {
      follows.current = true;
      onReachEnd();
    } else if (scrollTop < lastTop.current) {
      // Only a reader scrolls up. To be away from the end may also mean that the list has just grown.
      follows.current = false;
      onLeaveEnd();
    }
    lastTop.current = scrollTop;
  };
  return (
    <div
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      role="log"
      aria-label="Events"
      aria-live="off"
      onScroll={onScroll}
      className="min-h-0 flex-1 overflow-y-auto font-mono text-xs -outline-offset-2"
    >
      <div style={{ height: rows.getTotalSize() }} className="relative">
        {rows.getVirtualItems().map(({ index, start }) => {
          const event = shown[index] as FlockEvent;
          const isOpen = event.seq === openSeq;
          return (
            <div key={event.seq} style={{ transform: `translateY(${start}px)` }} className="absolute inset-x-0">
              <button
                type="button"
                aria-expanded={isOpen}
                onClick={() => open(isOpen ? null : event.seq)}
                style={{ height: ROW_PX }}
                className={`flex w-full items-center gap-3 border-b border-line px-4 text-left -outline-offset-2 hover:bg-sunken ${
                  isOpen ? "bg-sunken" : ""
                }`}
              >
                <span className="min-w-12 shrink-0 text-right text-soft tabular-nums">{event.seq}</span>
                <span className="hidden shrink-0 text-soft tabular-nums md:block">{clock(event.timestamp)}</span>
                <span className={`shrink-0 font-medium ${colorOf(event)}`}>{event.type}</span>
                <span className="truncate text-soft">{lineOf(event)}</span>
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Failures stand out; streams, which are most of a log, stand back. */
function colorOf(event: FlockEvent): string {
  if (event.type === "streaming_output") return "text-soft";
  if (event.type === "agent_execution_completed") return event.status === "success" ? "text-good" : "text-bad";
  return "";
}

function Opened({ event, close }: { event: FlockEvent; close: () => void }) {
  return (
    <section
      aria-label={`Event ${event.seq}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      onKeyDown={({ key }) => key === "Escape" && close()}
      className="relative max-h-[45%] shrink-0 overflow-y-auto border-t border-line bg-card p-4 -outline-offset-2"
    >
      <div className="mb-2 flex items-center justify-between gap-2">
        <h2 className="text-sm font-medium">
          {event.type} <span className="text-soft tabular-nums">{event.seq}</span>
        </h2>
        <button
          type="button"
          aria-label="Close"
          onClick={close}
          className="rounded-lg border border-line p-1.5 text-soft hover:text-ink"
        >
          <X size={14} aria-hidden="true" />
        </button>
      </div>
      <Tree value={event} />
    </section>
  );
}
