import {
  type FocusEvent,
  type KeyboardEvent,
  type RefCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { indexNear, rowAfterKey } from "./row-keys.ts";
import { useVisibleRows } from "./use-visible-rows.ts";

/** A rendered row. */
export interface ListedRow<T> {
  readonly one: T;
  readonly key: string;
  readonly index: number;
  /** Its distance from the top of the list, in px. */
  readonly start: number;
  /** 0 for the one row in the tab order, -1 for rows that arrow keys reach from it. */
  readonly tabIndex: 0 | -1;
}

/** A list of rows of equal height. */
export interface RowList<T> {
  /** The scrolling element. */
  readonly box: RefCallback<HTMLDivElement>;
  /** The height of all rows, in px. */
  readonly height: number;
  readonly rows: readonly ListedRow<T>[];
  /** The ref of the scrolling element. */
  readonly handlers: {
    readonly onScroll: () => void;
    readonly onFocus: (event: FocusEvent) => void;
    readonly onBlur: (event: FocusEvent) => void;
    readonly onKeyDown: (event: KeyboardEvent) => void;
  };
}

/**
 * A list that renders only visible rows, each with one link and its key in `data-row`. The list is one tab stop, and
 * arrow keys move within it. New rows above neither move the visible rows nor take the focus, except at the very top,
 * where they appear.
 *
 * @param shown the key of the highlighted row, which is first in the tab order.
 */
export function useRowList<T>(
  list: readonly T[],
  keyOf: (one: T) => string,
  rowPx: number,
  shown?: string,
): RowList<T> {
  const [reached, setReached] = useState<string>();
  const stop = useStop(list, keyOf, reached ?? shown);
  const { box, element, rows, total, show } = useVisibleRows<HTMLDivElement>(list.length, rowPx, {
    spare: 12,
    also: stop,
  });
  const anchor = useRef<{ readonly key: string; readonly index: number }>(undefined);
  const hasFocus = useRef(false);
  /** The row that receives the focus when it is rendered. */
  const wanted = useRef<string>(undefined);

  const remember = () => {
    const top = element?.scrollTop ?? 0;
    const index = hasFocus.current ? stop : top > 0 ? Math.floor(top / rowPx) : -1;
    const one = list[index];
    anchor.current = one && { key: keyOf(one), index };
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only other rows can move the previous one
  useLayoutEffect(() => {
    const before = anchor.current;
    if (before && element) {
      const now = indexNear(list, keyOf, before.key, before.index);
      if (now >= 0) element.scrollTop += (now - before.index) * rowPx;
      // The focused row was removed.
      else if (hasFocus.current && document.activeElement === document.body)
        goTo(Math.min(before.index, list.length - 1));
    }
  }, [list]);
  // After that, for all other changes.
  useLayoutEffect(remember);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const link = element?.querySelector<HTMLElement>(`[data-row="${CSS.escape(wanted.current)}"] a`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });

  const goTo = (index: number) => {
    const one = list[index];
    if (!one) return;
    wanted.current = keyOf(one);
    setReached(wanted.current);
    show(index);
  };
  return {
    box,
    height: total,
    rows: rows.map(({ index, start }) => {
      const one = list[index] as T;
      return { one, key: keyOf(one), index, start, tabIndex: index === stop ? 0 : -1 };
    }),
    handlers: {
      onScroll: remember,
      onFocus: ({ target }) => {
        const key = (target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
        hasFocus.current = key !== undefined;
        if (key !== undefined) setReached(key);
        remember();
      },
      // Browsers send no event when a focused element is removed, so the row still counts as focused.
      onBlur: () => {
        hasFocus.current = false;
        remember();
      },
      onKeyDown: (event) => {
        if (!(event.target as HTMLElement).closest("[data-row]")) return;
        const page = Math.max(1, Math.floor((element?.clientHeight ?? 0) / rowPx) - 1);
        const to = rowAfterKey(event, stop, list.length, page);
        if (to === undefined) return;
        event.preventDefault();
        goTo(to);
      },
    },
  };
}

/** The row in the tab order; the first if it no longer exists. */
function useStop<T>(list: readonly T[], keyOf: (one: T) => string, key: string | undefined): number {
  const last = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a row's key does not change
  const index = useMemo(() => (key === undefined ? -1 : indexNear(list, keyOf, key, last.current)), [list, key]);
  last.current = Math.max(0, index);
  return last.current;
}
