import type { ReactNode } from "react";
import { searchPattern } from "./search-pattern.ts";

/** A match and the search text. */
export interface Highlight {
  readonly query: string;
  /** Whether this is the current match. */
  readonly isCurrent: boolean;
}

/** A text with its matches highlighted. */
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
