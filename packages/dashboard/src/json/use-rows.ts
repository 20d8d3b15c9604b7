import { defaultRangeExtractor, useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useMemo, useState } from "react";
import type { Methods } from "./document-model.ts";
import type { Host } from "./use-document-model.ts";

/** The height of a row, in px. */
export const ROW_HEIGHT = 24;
/** Rows to load beyond the visible ones, so that a worker's answer arrives before they are scrolled to. */
const AHEAD = 40;

/** Rows of a model by index; undefined while they load. */
type RowLookup<Row> = (index: number) => Row | undefined;

interface RowModel<Row> {
  rows(from: number, to: number): Row[];
}

/** Loads a range of rows. The previous rows stay until the answer arrives. */
function useRows<Row, M extends RowModel<Row>>(
  host: Host<M>,
  version: number,
  from: number,
  to: number,
): RowLookup<Row> {
  // biome-ignore lint/correctness/useExhaustiveDependencies: each version has other rows
  const reply = useMemo(
    () => host.call("rows" as keyof Methods<M>, ...([from, to] as never)) as Row[] | Promise<Row[]>,
    [host, version, from, to],
  );
  const [arrived, setArrived] = useState<{ readonly from: number; readonly rows: readonly Row[] }>();
  useEffect(() => {
    if (!(reply instanceof Promise)) return;
    let isWanted = true;
    void reply.then((rows) => isWanted && setArrived({ from, rows }));
    return () => {
      isWanted = false;
    };
  }, [reply, from]);
  if (!(reply instanceof Promise)) return (index) => reply[index - from];
  return (index) => arrived?.rows[index - arrived.from];
}

/** The visible rows of a model, and the row with keyboard focus. */
export interface VirtualRows<Row> {
  readonly virtualizer: Virtualizer<HTMLDivElement, HTMLElement>;
  readonly row: RowLookup<Row>;
}

/** Renders only the visible rows and the active one, so that assistive technology can find it. */
export function useVirtualRows<Row, M extends RowModel<Row>>(
  host: Host<M>,
  version: number,
  count: number,
  active: number,
  scroll: RefObject<HTMLDivElement | null>,
  keyOf?: (index: number) => number,
): VirtualRows<Row> {
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLElement>({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    initialRect: { width: 600, height: 400 },
    ...(keyOf ? { getItemKey: keyOf } : {}),
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const shown = defaultRangeExtractor(range);
        if (active < 0 || active >= range.count || shown.includes(active)) return shown;
        return active < (shown[0] ?? 0) ? [active, ...shown] : [...shown, active];
      },
      [active],
    ),
  });
  const range = virtualizer.range;
  const page = Math.max(0, Math.floor(((range?.startIndex ?? 0) - AHEAD) / AHEAD) * AHEAD);
  const end = Math.ceil(((range?.endIndex ?? AHEAD) + AHEAD) / AHEAD) * AHEAD;
  const row = useRows<Row, M>(host, version, page, Math.max(end, page + AHEAD));
  const single = useRows<Row, M>(host, version, Math.max(0, active), Math.max(0, active) + 1);
  return { virtualizer, row: (index) => (index === active ? single(index) : row(index)) ?? row(index) };
}
