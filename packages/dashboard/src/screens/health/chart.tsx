import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { clock } from "../../parts/format.ts";
import "uplot/dist/uPlot.min.css";

/** A small chart of one figure over the last minutes, with the newest value beside its name. */
export function Chart({ name, now, times, values }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef<uPlot.AlignedData>([[], []]);
  latest.current = times.length > 1 ? [times as number[], values as (number | null)[]] : [[], []];
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const colour = (token: string) => () => getComputedStyle(element).getPropertyValue(token);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: 120,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most * 1.1)] } },
        series: [{}, { stroke: colour("--accent"), width: 1.5, points: { show: false } }],
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
    // One point is no line, and an axis of years.
    if (times.length > 1) plot.current?.setData([times as number[], values as (number | null)[]]);
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
  /** The newest value in words. */
  readonly now: string;
  /** In seconds since 1970, oldest first. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

const timeOf = (seconds: number) => clock(new Date(seconds * 1_000).toISOString()).slice(0, 8);
const compact = (value: number) => new Intl.NumberFormat("en", { notation: "compact" }).format(value);
