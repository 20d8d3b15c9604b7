import type { ReactNode } from "react";
import { searchPattern } from "./search-pattern.ts";

/** Where a search is, and what it looks for. */
export interface Highlight {
  readonly query: string;
  /** Whether this is the match that was come to, rather than one of the others. */
  readonly isCurrent: boolean;
}

/** A text in which what is searched for stands out. */
export function FoundText({ text, highlight }: { text: string; highlight: Highlight | undefined }): ReactNode {
  const pattern = searchPattern(highlight?.query ?? "", "gi");
  if (!pattern) return text;
  const parts: ReactNode[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    parts.push(text.slice(end, index));
    end = index + found.length;
    parts.push(
      <mark
        key={index}
        className={
          highlight?.isCurrent
            ? "rounded-sm bg-busy text-card"
            : "rounded-sm bg-[color-mix(in_srgb,var(--busy)_30%,transparent)] text-ink"
        }
      >
        {found}
      </mark>,
    );
  }
  return [...parts, text.slice(end)];
}
