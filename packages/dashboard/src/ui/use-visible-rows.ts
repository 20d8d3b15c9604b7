import { type RefCallback, useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";

/** The number of visible rows to assume before the element is measured. */
const GUESS = 20;

/** A rendered row, and its offset in px. */
export interface VisibleRow {
  readonly index: number;
  readonly start: number;
}

export interface VisibleRows<E extends HTMLElement> {
  /** The ref of the scrolling element, and the element once mounted. */
  readonly box: RefCallback<E>;
  readonly element: E | null;
  readonly rows: readonly VisibleRow[];
  /** The height of all rows, and of those before and after the rendered ones, in px. */
  readonly total: number;
  readonly above: number;
  readonly below: number;
  /** Scrolls a row into view, at the nearest edge or in the center. */
  readonly show: (index: number, where?: "nearest" | "middle" | "end") => void;
}

interface RowsOptions {
  readonly spare?: number;
  readonly also?: number;
  readonly isAtEnd?: boolean;
}

/**
 * Computes the visible rows of a list with equal row heights. The cost is independent of the list's length.
 * Virtualizers for rows of any height visit all rows for each new one.
 *
 * @param height of a row, in px.
 * @param spare the number of additional rows to render.
 * @param also a row that is always rendered, such as a focused one.
 * @param isAtEnd whether the end is always shown, because the caller scrolls there.
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
    // At once, because one frame later the area would be empty.
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
