import { ChevronDown, ChevronUp } from "lucide-react";
import { type KeyboardEvent, useEffect, useState } from "react";
import { findInStreams, type StreamPainter } from "./stream-painter.ts";

/** The interval of searches in new text, in ms. */
const AGAIN_MS = 500;

/**
 * Searches painted streams, including new text. The browser's search does not find text that is skipped by the
 * layout.
 */
export function StreamFind({ painters, label, autoFocus = false, close }: StreamFindProps) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<readonly Range[]>([]);
  const [shown, setShown] = useState(0);
  const show = (ranges: readonly Range[], index: number) => {
    setShown(index);
    const range = ranges[index];
    mark(ranges, range);
    if (range) bringIntoView(range);
  };
  useEffect(() => () => mark([], undefined), []);
  useEffect(() => {
    if (text === "") return;
    const timer = setInterval(() => {
      const ranges = findInStreams(painters(), text);
      if (ranges.length === found.length) return;
      setFound(ranges);
      mark(ranges, ranges[shown]);
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [text, found, shown, painters]);
  const search = (wanted: string) => {
    setText(wanted);
    const ranges = findInStreams(painters(), wanted);
    setFound(ranges);
    show(ranges, 0);
  };
  const step = (count: number) => found.length > 0 && show(found, (shown + count + found.length) % found.length);
  const onKeyDown = ({ key, shiftKey }: KeyboardEvent) => {
    if (key === "Enter") step(shiftKey ? -1 : 1);
    if (key !== "Escape") return;
    search("");
    close?.();
  };
  const button =
    "grid size-7 shrink-0 place-items-center rounded-lg border border-line bg-card text-soft hover:text-ink";
  return (
    <search className="flex min-w-0 items-center gap-1">
      <input
        type="search"
        aria-label={label}
        placeholder="Find"
        // biome-ignore lint/a11y/noAutofocus: opening a search is a request to type
        autoFocus={autoFocus}
        value={text}
        onChange={(change) => search(change.target.value)}
        onKeyDown={onKeyDown}
        className="h-7 w-40 min-w-0 flex-1 rounded-lg border border-line bg-card px-2 text-xs"
      />
      <span role="status" className="min-w-14 rounded-md bg-card px-1 text-xs whitespace-nowrap text-soft tabular-nums">
        {found.length === 0 ? (text === "" ? "" : "none") : `${shown + 1} of ${found.length}`}
      </span>
      <button type="button" aria-label="Previous match" onClick={() => step(-1)} className={button}>
        <ChevronUp size={13} aria-hidden="true" />
      </button>
      <button type="button" aria-label="Next match" onClick={() => step(1)} className={button}>
        <ChevronDown size={13} aria-hidden="true" />
      </button>
    </search>
  );
}

interface StreamFindProps {
  /** The texts to search; the same function while they are the same. */
  readonly painters: () => readonly StreamPainter[];
  readonly label: string;
  readonly autoFocus?: boolean;
  readonly close?: () => void;
}

/** Highlights matches without changing the text. Browsers without support still scroll to them. */
function mark(found: readonly Range[], here: Range | undefined): void {
  if (typeof Highlight === "undefined") return;
  CSS.highlights.set("found", new Highlight(...found));
  CSS.highlights.set("found-here", new Highlight(...(here ? [here] : [])));
}

function bringIntoView(range: Range): void {
  const block = range.startContainer.parentElement;
  const box = block?.parentElement;
  if (!block || !box) return;
  block.scrollIntoView({ block: "nearest" });
  // The block is long. The line within it must be visible.
  const line = range.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  if (line.top < frame.top || line.bottom > frame.bottom) box.scrollTop += line.top - frame.top - frame.height / 2;
}
