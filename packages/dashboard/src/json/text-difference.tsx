import { diffWordsWithSpace } from "diff";
import { useMemo } from "react";

/** Longer texts are not compared by word, which would take longer than a frame. */
const MAX_COMPARED = 4_000;

/** One side of a changed text, with the words highlighted that the other side lacks. */
export function TextDifference({ left, right, side }: { left: string; right: string; side: "left" | "right" }) {
  const parts = useMemo(
    () => (left.length + right.length > MAX_COMPARED ? undefined : diffWordsWithSpace(left, right)),
    [left, right],
  );
  if (!parts) return side === "left" ? left : right;
  let offset = 0;
  return parts.map(({ value, added, removed }) => {
    offset += value.length;
    if (side === "left" ? added : removed) return null;
    if (added) {
      return (
        <ins key={offset} className="rounded-sm bg-[color-mix(in_srgb,var(--good)_22%,transparent)] font-semibold">
          {value}
        </ins>
      );
    }
    if (removed) {
      return (
        <del key={offset} className="rounded-sm bg-[color-mix(in_srgb,var(--bad)_18%,transparent)]">
          {value}
        </del>
      );
    }
    return value;
  });
}
