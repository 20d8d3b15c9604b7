import type { FlockState } from "@flock/protocol";
import { ArrowDown, ChevronDown, ChevronUp, Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLive } from "../live/store.ts";
import { StreamPainter } from "./stream-painter.ts";

/** So near the end, in px, counts as at the end: zoomed pages scroll by fractions. */
const NEAR = 24;

/** The output of a run as it streams. It follows the end until the reader scrolls up, and again when they are back. */
export function StreamText({ runId, className = "" }: { runId: string; className?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const painter = useRef<StreamPainter>(undefined);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const [isAway, setAway] = useState(false);
  const [isSearching, setSearching] = useState(false);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    painter.current = new StreamPainter(element);
    const paint = ({ runs }: FlockState) => {
      if (painter.current?.paint(runId, runs.get(runId)?.stream) && follows.current) {
        element.scrollTop = element.scrollHeight;
      }
    };
    paint(useLive.getState().state);
    return useLive.subscribe((now, before) => {
      if (now.state !== before.state) paint(now.state);
    });
  }, [runId]);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current as HTMLDivElement;
    if (scrollHeight - scrollTop - clientHeight < NEAR) follows.current = true;
    // Only the reader scrolls up: to be away from the end may also mean that the text has just grown.
    else if (scrollTop < lastTop.current) follows.current = false;
    lastTop.current = scrollTop;
    setAway(!follows.current);
  };
  const toEnd = () => {
    follows.current = true;
    setAway(false);
    const element = box.current as HTMLDivElement;
    element.scrollTop = element.scrollHeight;
  };
  return (
    <div className={`relative flex min-h-0 flex-col rounded-xl border border-line bg-card ${className}`}>
      <div className="absolute top-1.5 right-3 z-1 flex items-center gap-1">
        {isSearching ? (
          <Find painter={painter} close={() => setSearching(false)} />
        ) : (
          <button
            type="button"
            aria-label="Search in this output"
            onClick={() => setSearching(true)}
            className="grid size-7 place-items-center rounded-lg border border-line bg-card text-soft hover:text-ink"
          >
            <Search size={13} aria-hidden="true" />
          </button>
        )}
      </div>
      <div
        ref={box}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-label="Streamed text"
        aria-live="off"
        className="min-h-24 flex-1 overflow-y-auto p-4 pr-12 font-mono text-[13px] leading-6 break-words whitespace-pre-wrap -outline-offset-2"
      />
      {isAway && (
        <button
          type="button"
          onClick={toEnd}
          className="absolute right-3 bottom-3 flex items-center gap-1 rounded-full border border-line bg-card px-3 py-1 text-xs text-accent shadow-md"
        >
          <ArrowDown size={13} aria-hidden="true" /> Follow
        </button>
      )}
    </div>
  );
}

/** Finds in what is painted: the browser's own search does not see what it has left out of the layout. */
function Find({ painter, close }: { painter: { readonly current: StreamPainter | undefined }; close: () => void }) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<readonly Range[]>([]);
  const [shown, setShown] = useState(0);
  const show = (ranges: readonly Range[], index: number) => {
    setShown(index);
    const range = ranges[index];
    mark("found", ranges);
    mark("found-here", range ? [range] : []);
    range?.startContainer.parentElement?.scrollIntoView({ block: "nearest" });
    const box = range?.startContainer.parentElement?.parentElement;
    if (!range || !box) return;
    // The block is long: the line within it is what shall be seen.
    const line = range.getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    if (line.top < frame.top || line.bottom > frame.bottom) box.scrollTop += line.top - frame.top - frame.height / 2;
  };
  useEffect(
    () => () => {
      mark("found", []);
      mark("found-here", []);
    },
    [],
  );
  const search = (wanted: string) => {
    setText(wanted);
    const ranges = painter.current?.find(wanted) ?? [];
    setFound(ranges);
    show(ranges, 0);
  };
  const step = (count: number) => found.length > 0 && show(found, (shown + count + found.length) % found.length);
  const button = "grid size-7 place-items-center rounded-lg border border-line bg-card text-soft hover:text-ink";
  return (
    <search className="flex items-center gap-1">
      <input
        type="search"
        aria-label="Search in this output"
        // biome-ignore lint/a11y/noAutofocus: who opens a search wants to type
        autoFocus
        value={text}
        onChange={(change) => search(change.target.value)}
        onKeyDown={({ key, shiftKey }) => {
          if (key === "Enter") step(shiftKey ? -1 : 1);
          if (key === "Escape") close();
        }}
        className="h-7 w-40 rounded-lg border border-line bg-card px-2 text-xs"
      />
      <span role="status" className="rounded-md bg-card px-1 text-xs text-soft tabular-nums">
        {found.length === 0 ? (text === "" ? "" : "none") : `${shown + 1} of ${found.length}`}
      </span>
      <button type="button" aria-label="Find the one before" onClick={() => step(-1)} className={button}>
        <ChevronUp size={13} aria-hidden="true" />
      </button>
      <button type="button" aria-label="Find the next one" onClick={() => step(1)} className={button}>
        <ChevronDown size={13} aria-hidden="true" />
      </button>
    </search>
  );
}

/** Marks ranges without touching the text. Browsers that cannot still scroll there. */
function mark(name: string, ranges: readonly Range[]): void {
  if (typeof Highlight === "undefined") return;
  if (ranges.length === 0) CSS.highlights.delete(name);
  else CSS.highlights.set(name, new Highlight(...ranges));
}
