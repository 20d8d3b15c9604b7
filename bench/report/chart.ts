import { type Bar, CHARTED, type Report } from "./report.ts";

const WIDTH = 760;
const LABELS_WIDTH = 260;
/** Space for a figure beyond the longest bar. */
const RIGHT = 70;
const TOP = 64;
const BAR_HEIGHT = 14;
const GROUP_GAP = 12;
const AXIS_HEIGHT = 34;
/** Possible grid lines. */
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const CLASSES: Readonly<Record<Bar["peer"], string>> = {
  ws: "ws",
  "socket.io": "sio",
  langgraph: "langgraph",
  mastra: "mastra",
};

/** A measurement of the chart, with the ratio for each peer. */
interface Group {
  readonly label: string;
  readonly times: ReadonlyMap<Bar["peer"], number>;
}

/** Draws the ratios of the peers to Flock as SVG for light and dark mode, on a logarithmic scale. */
export function chartOf(reports: readonly Report[]): string {
  const groups = groupsOf(reports);
  const values = groups.flatMap(({ times }) => [...times.values()]);
  const ticks = ticksFor(values);
  const [low, high] = [ticks[0] as number, ticks.at(-1) as number];
  const x = (times: number) =>
    LABELS_WIDTH + (Math.log(times / low) / Math.log(high / low)) * (WIDTH - LABELS_WIDTH - RIGHT);
  let y = TOP;
  const rows: string[] = [];
  for (const { label, times } of groups) {
    const height = times.size * BAR_HEIGHT;
    rows.push(text(LABELS_WIDTH - 12, y + height / 2 + 4, label, 'text-anchor="end"'));
    for (const peer of CHARTED) {
      const value = times.get(peer);
      if (value === undefined) continue;
      const [from, to] = [Math.min(x(1), x(value)), Math.max(x(1), x(value))];
      rows.push(
        `<rect class="${CLASSES[peer]}" x="${px(from)}" y="${px(y + 1)}" width="${px(Math.max(to - from, 1))}" height="${BAR_HEIGHT - 2}" rx="2"/>`,
        text(to + 6, y + BAR_HEIGHT - 3, `${figure(value)} ×`),
      );
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  const grid = ticks.map(
    (tick) =>
      `<line class="${tick === 1 ? "one" : "grid"}" x1="${px(x(tick))}" x2="${px(x(tick))}" y1="${TOP - 8}" y2="${px(y)}"/>` +
      text(x(tick), y + 16, `${tick} ×`, 'text-anchor="middle" class="faint"'),
  );
  const legend = CHARTED.map(
    (peer, i) =>
      `<rect class="${CLASSES[peer]}" x="${LABELS_WIDTH + i * 110}" y="36" width="12" height="12" rx="2"/>` +
      text(LABELS_WIDTH + i * 110 + 18, 46, peer),
  );
  const nothing = groups.length === 0 ? [text(LABELS_WIDTH, TOP, "no results are kept")] : [];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${px(y + AXIS_HEIGHT)}" role="img" aria-label="How many times as much the others take as Flock">`,
    STYLE,
    `<rect class="page" width="100%" height="100%"/>`,
    text(16, 22, "How many times as much the others take as Flock (logarithmic; left of 1 ×: less)", 'class="title"'),
    ...legend,
    ...(groups.length > 0 ? grid : nothing),
    ...rows,
    "</svg>",
  ].join("\n")}\n`;
}

const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 14px; font-weight: 600 }
  .faint { fill: #59636e }
  .page { fill: #ffffff }
  .grid { stroke: #d1d9e0 }
  .one { stroke: #59636e }
  .ws { fill: #0969da }
  .sio { fill: #bc4c00 }
  .langgraph { fill: #1a7f37 }
  .mastra { fill: #8250df }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .page { fill: #0d1117 }
    .grid { stroke: #3d444d }
    .one { stroke: #9198a1 }
    .ws { fill: #4493f8 }
    .sio { fill: #f0883e }
    .langgraph { fill: #3fb950 }
    .mastra { fill: #a371f7 }
  }
</style>`;

function groupsOf(reports: readonly Report[]): Group[] {
  const groups = new Map<string, Map<Bar["peer"], number>>();
  for (const { chart, ratio } of reports.flatMap(({ workloads }) => workloads.flatMap(({ ratios }) => ratios))) {
    if (!chart) continue;
    const times = groups.get(chart.label) ?? new Map<Bar["peer"], number>();
    groups.set(chart.label, times.set(chart.peer, chart.isCost ? 1 / ratio.median : ratio.median));
  }
  return [...groups].map(([label, times]) => ({ label, times }));
}

/** Returns the ticks from the one below all values (and below 1) to the one above. */
function ticksFor(values: readonly number[]): number[] {
  const [least, most] = [Math.min(1, ...values), Math.max(2, ...values)];
  const first = TICKS.findLastIndex((tick) => tick <= least);
  const last = TICKS.findIndex((tick) => tick >= most);
  return TICKS.slice(Math.max(first, 0), last < 0 ? undefined : last + 1);
}

function figure(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 2 });
}

/** Formats a coordinate without invisible digits. */
function px(value: number): string {
  return String(Number(value.toFixed(1)));
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${px(x)}" y="${px(y)}"${attributes && ` ${attributes}`}>${content}</text>`;
}
