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

/** A row that is in the page. */
export interface ListedRow<T> {
  readonly one: T;
  readonly key: string;
  readonly index: number;
  /** Its distance from the top of the list, in px. */
  readonly start: number;
  /** 0 for the one row that Tab leads to, -1 for those that arrow keys lead to from there. */
  readonly tabIndex: 0 | -1;
}

/** A list of rows of one height. */
export interface RowList<T> {
  /** What scrolls. */
  readonly box: RefCallback<HTMLDivElement>;
  /** Of all rows, in px. */
  readonly height: number;
  readonly rows: readonly ListedRow<T>[];
  /** For the element that scrolls. */
  readonly handlers: {
    readonly onScroll: () => void;
    readonly onFocus: (event: FocusEvent) => void;
    readonly onBlur: (event: FocusEvent) => void;
    readonly onKeyDown: (event: KeyboardEvent) => void;
  };
}

/**
 * Rows of which those in sight are in the page, each with one link, and `data-row` with its key. It is one stop for Tab,
 * and arrow keys move in it. Whatever comes in above, what somebody reads stays where it is, and whoever has the focus
 * keeps it. Who is at the very top sees what comes in.
 *
 * @param shown the key of the row that stands out: where Tab leads at first.
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
  /** The row that waits to be in the page to get the focus. */
  const wanted = useRef<string>(undefined);

  const remember = () => {
    const top = element?.scrollTop ?? 0;
    const index = hasFocus.current ? stop : top > 0 ? Math.floor(top / rowPx) : -1;
    const one = list[index];
    anchor.current = one && { key: keyOf(one), index };
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only other rows move what was there
  useLayoutEffect(() => {
    const before = anchor.current;
    if (before && element) {
      const now = indexNear(list, keyOf, before.key, before.index);
      if (now >= 0) element.scrollTop += (now - before.index) * rowPx;
      // Its row has gone, and the focus with it.
      else if (hasFocus.current && document.activeElement === document.body)
        goTo(Math.min(before.index, list.length - 1));
    }
  }, [list]);
  // After that, and for whatever else has changed.
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
      // Of what is taken out of the page nobody hears: then it still has the focus.
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

/** The row that Tab leads to; the first where there is no such row. */
function useStop<T>(list: readonly T[], keyOf: (one: T) => string, key: string | undefined): number {
  const last = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a row's key does not change
  const index = useMemo(() => (key === undefined ? -1 : indexNear(list, keyOf, key, last.current)), [list, key]);
  last.current = Math.max(0, index);
  return last.current;
}
