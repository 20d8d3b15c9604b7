import { EVENT_TYPES, type FlockEvent } from "@flock/protocol";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Pause, Play } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { clock } from "../format.ts";
import { useLive } from "../live.ts";
import { Empty } from "../parts.tsx";

const ROW_PX = 34;

/** An event in one line. */
function lineOf(event: FlockEvent): string {
  const { type: _type, seq: _seq, timestamp: _timestamp, ...rest } = event;
  if (event.type === "streaming_output") return `${event.agent_id} ${JSON.stringify(event.content)}`;
  if (event.type === "graph_updated") return `${event.nodes.length} nodes, ${event.edges.length} edges`;
  return Object.entries(rest)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

export function EventsScreen() {
  const live = useLive(({ events }) => events);
  const [paused, setPaused] = useState<readonly FlockEvent[] | null>(null);
  const [type, setType] = useState("");
  const [text, setText] = useState("");
  const events = paused ?? live;
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return events.filter(
      (event) =>
        (type === "" || event.type === type) && (wanted === "" || lineOf(event).toLowerCase().includes(wanted)),
    );
  }, [events, type, text]);
  const box = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
  });
  useEffect(() => {
    if (sticks.current && shown.length > 0) rows.scrollToIndex(shown.length - 1, { align: "end" });
  }, [shown.length, rows]);
  const field = "rounded-lg border border-line bg-card px-2.5 py-1.5 text-sm";
  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <select aria-label="Event type" value={type} onChange={(e) => setType(e.target.value)} className={field}>
          <option value="">All types</option>
          {EVENT_TYPES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search"
          value={text}
          onChange={(e) => setText(e.target.value)}
          className={`${field} min-w-0 flex-1`}
        />
        <button
          type="button"
          onClick={() => setPaused(paused ? null : live)}
          className={`${field} flex items-center gap-1.5`}
        >
          {paused ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
          {paused ? "Resume" : "Pause"}
        </button>
        <span className="text-sm text-soft tabular-nums">{shown.length.toLocaleString()} events</span>
      </div>
      {shown.length === 0 ? (
        <Empty>
          {events.length === 0 ? "Nothing has happened yet. Events appear here as they come." : "No event matches."}
        </Empty>
      ) : (
        <div
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          role="log"
          aria-label="Events"
          aria-live="off"
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
            sticks.current = scrollHeight - scrollTop - clientHeight < 2 * ROW_PX;
          }}
          className="min-h-0 flex-1 overflow-y-auto font-mono text-xs"
        >
          <div style={{ height: rows.getTotalSize() }} className="relative">
            {rows.getVirtualItems().map(({ index, start }) => {
              const event = shown[index] as FlockEvent;
              return (
                <div
                  key={event.seq}
                  style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
                  className="absolute inset-x-0 flex items-center gap-3 border-b border-line px-4"
                >
                  <span className="w-12 shrink-0 text-right text-soft tabular-nums">{event.seq}</span>
                  <span className="hidden w-24 shrink-0 text-soft tabular-nums sm:block">{clock(event.timestamp)}</span>
                  <span className="shrink-0 font-medium">{event.type}</span>
                  <span className="truncate text-soft" title={lineOf(event)}>
                    {lineOf(event)}
                  </span>
                </div>
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
}
