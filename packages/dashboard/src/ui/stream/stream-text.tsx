import type { FlockState } from "@flock-ts/protocol";
import { ArrowDown, Search } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useSession } from "../../session/tab-session.ts";
import { StreamFind } from "./stream-find.tsx";
import { StreamPainter } from "./stream-painter.ts";

/** Distances from the end up to this count as the end, in px. Zoomed pages scroll by fractions. */
const NEAR = 24;

interface StreamTextProps {
  readonly runId: string;
  readonly className?: string;
  /** Called when the painter is created and removed, for searches in several streams. */
  readonly announce?: (runId: string, painter: StreamPainter | undefined) => void;
}

/** The live output of a run. Follows the end until the user scrolls up, and again after scrolling back. */
export function StreamText({ runId, className = "", announce }: StreamTextProps) {
  const box = useRef<HTMLDivElement>(null);
  const painter = useRef<StreamPainter>(undefined);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const [isAway, setAway] = useState(false);
  const [isSearching, setSearching] = useState(false);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    painter.current = new StreamPainter(element);
    announce?.(runId, painter.current);
    const paint = ({ runs }: FlockState) => {
      if (!painter.current?.paint(runId, runs.get(runId)?.stream) || !follows.current) return;
      if (isSelectedIn(element)) {
        follows.current = false;
        setAway(true);
      } else {
        element.scrollTop = element.scrollHeight;
      }
    };
    paint(useSession.getState().state);
    const stop = useSession.subscribe((now, before) => {
      if (now.state !== before.state) paint(now.state);
    });
    // The end also moves when the element is resized, and when a skipped block is laid out.
    const stay = () => {
      if (follows.current) element.scrollTop = element.scrollHeight;
    };
    const sized = new ResizeObserver(stay);
    sized.observe(element);
    element.addEventListener("contentvisibilityautostatechange", stay);
    return () => {
      stop();
      sized.disconnect();
      element.removeEventListener("contentvisibilityautostatechange", stay);
      announce?.(runId, undefined);
    };
  }, [runId, announce]);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current as HTMLDivElement;
    if (scrollHeight - scrollTop - clientHeight < NEAR) follows.current = true;
    // Only the user scrolls up. A larger distance from the end may also result from new text.
    else if (scrollTop < lastTop.current) follows.current = false;
    lastTop.current = scrollTop;
    setAway(!follows.current);
  };
  const mine = useCallback(() => (painter.current ? [painter.current] : []), []);
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
          <StreamFind
            painters={mine}
            label="Search this output"
            autoFocus
            close={() => {
              setSearching(false);
              box.current?.focus();
            }}
          />
        ) : (
          <button
            type="button"
            aria-label="Search this output"
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
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
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

/** Whether part of an element's text is selected. Scrolling would move the selection away. */
function isSelectedIn(element: Element): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
}
