import { diffArrays } from "diff";
import { kindOf } from "./node-text.ts";

/** An alignment of two lists: pairs of matching entries, and entries of one side only. */
export type Pair =
  | { readonly left: number; readonly right: number }
  | { readonly left: number }
  | { readonly right: number };

/** Lists with more differences than this are compared by index. Finding the best alignment would take seconds. */
const MAX_EDITS = 2_000;

/** Fields that identify the entries of a list. */
const NAMES = ["id", "key", "name", "title"];

/**
 * Aligns two lists in order. Equal entries match first (`same` gives equal numbers for equal values). Between them,
 * entries with the same name match, then entries at the same index with the same kind.
 */
export function align(left: readonly unknown[], right: readonly unknown[], same: (value: unknown) => number): Pair[] {
  return paired(
    left.map((_, at) => at),
    right.map((_, at) => at),
    (at) => same(left[at]),
    (at) => same(right[at]),
    (lefts, rights) =>
      paired(
        lefts,
        rights,
        (at) => nameOf(left[at]) ?? `left ${at}`,
        (at) => nameOf(right[at]) ?? `right ${at}`,
        (lefts, rights) => byPlace(lefts, rights, (a, b) => kindOf(left[a]) === kindOf(right[b])),
      ),
  );
}

/** Pairs equal entries, and leaves the ranges between them to `between`. */
function paired<T>(
  lefts: readonly number[],
  rights: readonly number[],
  leftToken: (at: number) => T,
  rightToken: (at: number) => T,
  between: (lefts: readonly number[], rights: readonly number[]) => Pair[],
): Pair[] {
  const parts = diffArrays(lefts.map(leftToken), rights.map(rightToken), { maxEditLength: MAX_EDITS });
  if (!parts) return between(lefts, rights);
  const pairs: Pair[] = [];
  let l = 0;
  let r = 0;
  let gap = { lefts: [] as number[], rights: [] as number[] };
  const close = () => {
    if (gap.lefts.length + gap.rights.length > 0) pairs.push(...between(gap.lefts, gap.rights));
    gap = { lefts: [], rights: [] };
  };
  for (const { added, removed, value } of parts) {
    for (let n = 0; n < value.length; n++) {
      if (added) gap.rights.push(rights[r++] as number);
      else if (removed) gap.lefts.push(lefts[l++] as number);
      else {
        close();
        pairs.push({ left: lefts[l++] as number, right: rights[r++] as number });
      }
    }
  }
  close();
  return pairs;
}

function byPlace(lefts: readonly number[], rights: readonly number[], fit: (l: number, r: number) => boolean): Pair[] {
  const pairs: Pair[] = [];
  for (let n = 0; n < Math.max(lefts.length, rights.length); n++) {
    const left = lefts[n];
    const right = rights[n];
    if (left !== undefined && right !== undefined && fit(left, right)) pairs.push({ left, right });
    else {
      if (left !== undefined) pairs.push({ left });
      if (right !== undefined) pairs.push({ right });
    }
  }
  return pairs;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const field of NAMES) {
    const name = (value as Record<string, unknown>)[field];
    if (typeof name === "string" || typeof name === "number") return `${field} ${name}`;
  }
  return undefined;
}
