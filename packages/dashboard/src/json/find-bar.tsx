import { ChevronDown, ChevronUp, Search } from "lucide-react";
import type { RefObject } from "react";
import { quietButton } from "../ui/quiet-button.ts";

/** A search in content of which only visible rows are rendered, where the browser's search would fail. */
export function FindBar({ query, matches, current, input, onQuery, onStep, onLeave }: FindBarProps) {
  return (
    <search className="flex min-w-0 flex-1 items-center gap-1.5 max-sm:basis-full">
      <label className="flex min-w-20 flex-1 items-center gap-1.5 rounded-md border border-line bg-sunken px-2 focus-within:outline-2 focus-within:outline-accent sm:max-w-64">
        <Search size={13} aria-hidden="true" className="shrink-0 text-soft" />
        <input
          ref={input}
          type="text"
          aria-label="Find in payload"
          placeholder="Find"
          value={query}
          onChange={(change) => onQuery(change.target.value)}
          onKeyDown={(key) => {
            if (key.key === "Enter") onStep(key.shiftKey ? -1 : 1);
            else if (key.key === "Escape") onLeave();
            else return;
            key.preventDefault();
            key.stopPropagation();
          }}
          className="min-h-7 min-w-0 flex-1 bg-transparent text-xs outline-none! placeholder:text-soft"
        />
      </label>
      {query !== "" && (
        <>
          <span role="status" className="text-xs whitespace-nowrap text-soft tabular-nums">
            {countText(matches, current)}
          </span>
          <button
            type="button"
            aria-label="Previous match"
            title="Previous match (Shift+Enter)"
            className={quietButton}
            disabled={!matches}
            onClick={() => onStep(-1)}
          >
            <ChevronUp size={14} aria-hidden="true" />
          </button>
          <button
            type="button"
            aria-label="Next match"
            title="Next match (Enter)"
            className={quietButton}
            disabled={!matches}
            onClick={() => onStep(1)}
          >
            <ChevronDown size={14} aria-hidden="true" />
          </button>
        </>
      )}
    </search>
  );
}

function countText(matches: number | undefined, current: number): string {
  if (matches === undefined) return "…";
  if (matches === 0) return "No matches";
  return `${(current + 1).toLocaleString("en")} of ${matches.toLocaleString("en")}`;
}

interface FindBarProps {
  readonly query: string;
  /** The number of matching rows; undefined while the search runs. */
  readonly matches: number | undefined;
  readonly current: number;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly onQuery: (query: string) => void;
  /** Moves to the next or the previous match. */
  readonly onStep: (by: 1 | -1) => void;
  readonly onLeave: () => void;
}
