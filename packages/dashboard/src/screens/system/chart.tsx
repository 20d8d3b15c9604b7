import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { clock } from "../../ui/format.ts";
import "uplot/dist/uPlot.min.css";

/** The shortest time axis, in seconds. Two seconds alone would look like a trend. */
const SPAN_S = 60;

/** A small chart of one metric over the last minutes, with its current value. A single sample is a point. */
export function Chart({ name, now, times, values }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef<uPlot.AlignedData>([[], []]);
  latest.current = [times as number[], values as (number | null)[]];
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const color = (token: string) => () => getComputedStyle(element).getPropertyValue(token);
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: 120,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { range: span },
          y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most * 1.1)] },
        },
        series: [{}, { stroke: color("--accent"), width: 1.5, points: { show: isAlone, size: 6 } }],
        axes: [
          { ...axis, size: 24, font: "11px Inter Variable", space: 80, values: (_, ticks) => ticks.map(timeOf) },
          { ...axis, size: 48, font: "11px Inter Variable", values: (_, ticks) => ticks.map(compact) },
        ],
      },
      latest.current,
      element,
    );
    plot.current = made;
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 120 }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => {
    plot.current?.setData([times as number[], values as (number | null)[]]);
  }, [times, values]);
  return (
    <figure className="min-w-0 rounded-xl border border-line bg-card p-3">
      <figcaption className="mb-1 flex items-baseline justify-between gap-2 text-sm">
        <span className="text-soft">{name}</span>
        <span className="font-semibold tabular-nums">{now}</span>
      </figcaption>
      <div ref={box} aria-hidden="true" className="h-30" />
    </figure>
  );
}

interface ChartProps {
  readonly name: string;
  /** The newest value as text. */
  readonly now: string;
  /** In seconds since 1970, oldest first. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

function span(_: uPlot, first: number | null, last: number | null): uPlot.Range.MinMax {
  const end = last ?? Date.now() / 1_000;
  return [Math.min(first ?? end, end - SPAN_S), end];
}

/** Whether there is only one point. */
function isAlone({ data }: uPlot, series: number): boolean {
  return [...(data[series] ?? [])].filter((value) => value != null).length === 1;
}

const timeOf = (seconds: number) => clock(new Date(seconds * 1_000).toISOString()).slice(0, 8);
const compact = (value: number) => new Intl.NumberFormat("en", { notation: "compact" }).format(value);
