import { type RefCallback, useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";

/** Rows that are taken to be in sight before the box has been measured. */
const GUESS = 20;

/** A row that is painted; its place in px from the first one. */
export interface VisibleRow {
  readonly index: number;
  readonly start: number;
}

export interface VisibleRows<E extends HTMLElement> {
  /** For the element that scrolls, and that element once it is there. */
  readonly box: RefCallback<E>;
  readonly element: E | null;
  readonly rows: readonly VisibleRow[];
  /** What all rows take, and the room of those before and after the painted ones, in px. */
  readonly total: number;
  readonly above: number;
  readonly below: number;
  /** Scrolls until a row is in sight: at the nearest edge, or in the middle. */
  readonly show: (index: number, where?: "nearest" | "middle" | "end") => void;
}

interface RowsOptions {
  readonly spare?: number;
  readonly also?: number;
  readonly isAtEnd?: boolean;
}

/**
 * The rows of a list that are in sight, all of the same height. However long the list is and however often it grows,
 * that costs nothing: virtualizers that know rows of any height go through all of them whenever there is one more.
 *
 * @param height of a row, in px.
 * @param spare rows beyond those in sight that are painted too.
 * @param also a row that is painted wherever it is, such as one that has the focus.
 * @param isAtEnd whether the end is shown whatever is added, because the caller scrolls there.
 */
export function useVisibleRows<E extends HTMLElement>(
  count: number,
  height: number,
  { spare = 8, also, isAtEnd = false }: RowsOptions = {},
): VisibleRows<E> {
  const [element, box] = useState<E | null>(null);
  const [{ first, seen }, setView] = useState({ first: 0, seen: GUESS });
  useLayoutEffect(() => {
    if (!element) return;
    const look = (): void => {
      const first = Math.max(0, Math.floor(element.scrollTop / height));
      const seen = Math.ceil(element.clientHeight / height) + 1;
      setView((before) => (before.first === first && before.seen === seen ? before : { first, seen }));
    };
    // At once: a frame later there would be nothing where rows should be.
    const scrolled = () => flushSync(look);
    look();
    element.addEventListener("scroll", scrolled, { passive: true });
    const sized = new ResizeObserver(look);
    sized.observe(element);
    return () => {
      element.removeEventListener("scroll", scrolled);
      sized.disconnect();
    };
  }, [element, height]);
  const last = Math.max(0, count - seen);
  const from = Math.max(0, (isAtEnd ? last : Math.min(first, last)) - spare);
  const to = Math.min(count, (isAtEnd ? count : first + seen) + spare);
  const indexes = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
  if (also !== undefined && also < from) indexes.unshift(also);
  else if (also !== undefined && also >= to && also < count) indexes.push(also);
  const rows = indexes.map((index) => ({ index, start: index * height }));
  return {
    box,
    element,
    rows,
    total: count * height,
    above: from * height,
    below: Math.max(0, count - to) * height,
    show: (index, where = "nearest") => {
      if (!element) return;
      const start = index * height;
      const room = element.clientHeight - height;
      if (where === "middle") element.scrollTop = start - room / 2;
      else if (where === "end" || start > element.scrollTop + room) element.scrollTop = start - room;
      else if (start < element.scrollTop) element.scrollTop = start;
    },
  };
}
