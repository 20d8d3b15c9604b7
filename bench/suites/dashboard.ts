import { setTimeout as pause } from "node:timers/promises";
import { type Child, start } from "../child.ts";
import type { BoardCalls } from "../dashboard/calls.ts";
import { PLAIN_PAGES, type PlainPage } from "../dashboard/plain-pages.ts";
import { Viewer } from "../dashboard/viewer.ts";
import type { Size } from "../report/report.ts";
import { median } from "../report/statistics.ts";
import { counted } from "../report/text.ts";
import type { Figures } from "./figures.ts";
import { type Comparison, rowsOf, type Suite, workload } from "./suite.ts";

/** The screens with the elements to click in turn. */
const SCREENS = {
  agents: [
    ".react-flow__node a",
    "aside button[aria-label=Close]",
    "table th a",
    "nav a[href^='/runs']",
    "nav a[href^='/agents']",
  ],
  runs: [
    "ul[aria-label=Runs] a",
    "ul[aria-label=Runs] a",
    "nav a[href^='/runs']",
    "nav a[href^='/events']",
    "nav a[href^='/runs']",
  ],
  output: [
    "button[aria-pressed=false]",
    "button[aria-pressed=true]",
    "nav a[href^='/blackboard']",
    "nav a[href^='/output']",
  ],
  blackboard: [
    "table[aria-label=Artifacts] a",
    "nav a[href^='/blackboard']",
    "nav a[href^='/agents']",
    "nav a[href^='/blackboard']",
  ],
  events: ["[role=log] button", "main button[aria-pressed=true]", "nav a[href^='/system']", "nav a[href^='/events']"],
  system: ["nav a[href^='/events']", "nav a[href^='/system']"],
} as const;
type ScreenName = keyof typeof SCREENS;
const NAMES = Object.keys(SCREENS) as ScreenName[];
const PLAIN_NAMES = Object.keys(PLAIN_PAGES) as PlainPage[];
const [FLOOR, NAIVE] = PLAIN_NAMES as [PlainPage, PlainPage];
/** Interval between two clicks, in ms. */
const CLICK_MS = 800;
/** Warm-up before the measurement, in ms: code is compiled and the first events arrive. */
const WARM_UP_MS = 2_000;

interface Flood {
  readonly perSecond: number;
  readonly seconds: number;
  readonly artifacts: number;
  readonly screens: readonly ScreenName[];
  readonly pages: readonly PlainPage[];
}
const FLOODS: Readonly<Record<Size, Flood>> = {
  full: { perSecond: 2_000, seconds: 60, artifacts: 10_000, screens: NAMES, pages: PLAIN_NAMES },
  quick: { perSecond: 2_000, seconds: 5, artifacts: 10_000, screens: NAMES, pages: PLAIN_NAMES },
  tiny: { perSecond: 500, seconds: 1, artifacts: 50, screens: ["events"], pages: [FLOOR] },
};

/** Measures what a user of the dashboard notices under load and with a long log. */
export const suite: Suite = {
  name: "dashboard",
  about: "How does the dashboard feel while agents flood it, and with a long log behind it?",
  minutes: { full: 18, quick: 3 },
  workloads: [
    workload({
      name: "flood",
      loads: FLOODS,
      title: ({ perSecond, seconds, artifacts }) =>
        `${counted(perSecond)} events a second for ${seconds} s, 200 agents, ${counted(artifacts)} artifacts before`,
      rounds: 1,
      columns: ["publishedPerSecond", "framesPerSecond", "longestTaskMs", "clickMs", "worstClickMs", "cpuPercent"],
      comparisons: [
        ...NAMES.flatMap((name): Comparison[] => [
          { what: `frames a second, ${name}`, of: [name, "framesPerSecond"], target: { atLeast: 50 } },
          { what: `longest task in ms, ${name}`, of: [name, "longestTaskMs"], target: { atMost: 100 } },
          { what: `click to paint in ms, ${name}`, of: [name, "clickMs"], target: { atMost: 200 } },
        ]),
        ...NAMES.map((name) => ({
          what: `frames a second, ${name} to ${FLOOR}`,
          of: [name, "framesPerSecond"] as const,
          to: [FLOOR, "framesPerSecond"] as const,
        })),
        // Ratios are more reliable on a busy machine.
        ...NAMES.map((name) => ({
          what: `CPU time, ${name} to ${NAIVE}`,
          of: [name, "cpuPercent"] as const,
          to: [NAIVE, "cpuPercent"] as const,
        })),
      ],
      rows: (load) => ({
        ...rowsOf(load.pages, (name) => flooded(load, (_, viewer, url) => viewer.openPlain(url, name, -1), ["a"])),
        ...rowsOf(load.screens, (name) =>
          flooded(
            load,
            async (board, viewer, url) => {
              await viewer.open(`${url}/${name}`);
              await untilWhole(board, viewer);
            },
            SCREENS[name],
          ),
        ),
      }),
    }),
    workload({
      name: "memory",
      loads: {
        full: { ...FLOODS.full, seconds: 60 },
        quick: { ...FLOODS.quick, seconds: 10 },
        tiny: { ...FLOODS.tiny, seconds: 1 },
      },
      title: ({ perSecond, seconds, artifacts }) =>
        `${counted(perSecond)} events a second for three times ${seconds} s, all screens in turn, ${counted(artifacts)} artifacts before`,
      rounds: 1,
      columns: ["firstHeapMB", "secondHeapMB", "thirdHeapMB"],
      comparisons: [
        {
          what: "heap after the third minute to that after the first",
          of: ["dashboard", "thirdHeapMB"],
          to: ["dashboard", "firstHeapMB"],
          target: { atMost: 1.15 },
        },
      ],
      rows: (load) => ({ dashboard: () => remembered(load) }),
    }),
    workload({
      name: "history",
      loads: {
        full: { events: 100_000, visits: 40 },
        quick: { events: 100_000, visits: 15 },
        tiny: { events: 3_000, visits: 3 },
      },
      title: ({ events }) => `a board with ${counted(events)} events behind it, 200 agents; ms until it is painted`,
      rounds: 1,
      columns: ["interactiveMs", "allSeconds", "travelMs", "worstTravelMs"],
      comparisons: NAMES.flatMap((name): Comparison[] => [
        { what: `interactive after ms, ${name}`, of: [name, "interactiveMs"], target: { atMost: 2_000 } },
        { what: `time travel in ms, ${name}`, of: [name, "travelMs"], target: { atMost: 100 } },
      ]),
      rows: ({ events, visits }) => ({
        [FLOOR]: () => readAll(events),
        ...rowsOf(NAMES, (name) => travelled(name, events, visits)),
      }),
    }),
    workload({
      name: "background",
      loads: { full: { ...FLOODS.full, seconds: 20 }, quick: FLOODS.quick, tiny: FLOODS.tiny },
      title: ({ perSecond, seconds }) =>
        `a tab in sight, then hidden, at ${counted(perSecond)} events a second for ${seconds} s`,
      rounds: 1,
      columns: ["cpuPercent", "rightAgainMs"],
      comparisons: [
        {
          what: "CPU time of the browser's pages, hidden to in sight",
          of: ["hidden", "cpuPercent"],
          to: ["in sight", "cpuPercent"],
        },
        { what: "right again after ms", of: ["hidden", "rightAgainMs"], target: { atMost: 1_000 } },
      ],
      rows: (load) => ({ "in sight": () => inBackground(load, false), hidden: () => inBackground(load, true) }),
    }),
    workload({
      name: "first load",
      loads: { full: {}, quick: {}, tiny: {} },
      title: () =>
        "JavaScript, compressed, until the screen that was asked for is live, and after all others have come",
      rounds: 1,
      columns: ["scriptKB", "allScriptKB"],
      comparisons: NAMES.map((name) => ({
        what: `kB of JavaScript until it is live, ${name}`,
        of: [name, "scriptKB"] as const,
        target: { atMost: 250 },
      })),
      rows: () => rowsOf(NAMES, loaded),
    }),
  ],
};

/** Runs work with a board in its own process and a viewer. */
async function withBoard(
  events: number,
  artifacts: number,
  work: (board: Child<BoardCalls>, viewer: Viewer, url: string) => Promise<Figures>,
): Promise<Figures> {
  const board = start<BoardCalls>("dashboard/board.ts");
  try {
    await board.ask("fill", events, artifacts);
    const url = await board.ask("url");
    return await Viewer.with((viewer) => work(board, viewer, url));
  } finally {
    await board.end();
  }
}

/** Waits until the page has all events of an idle board. */
async function untilWhole(board: Child<BoardCalls>, viewer: Viewer): Promise<void> {
  const { head } = await board.ask("look");
  await viewer.ask(`whole(${head})`);
}

function flooded(
  { perSecond, seconds, artifacts }: Flood,
  open: (board: Child<BoardCalls>, viewer: Viewer, url: string) => Promise<unknown>,
  clicks: readonly string[],
): Promise<Figures> {
  return withBoard(0, artifacts, async (board, viewer, url) => {
    await open(board, viewer, url);
    await board.ask("flood", perSecond);
    await pause(Math.min(WARM_UP_MS, seconds * 1_000));
    const [before, cpuMs] = [await board.ask("look"), await viewer.cpuMs()];
    const clickCount = await viewer.watch(seconds, clicks, CLICK_MS);
    const [after, cpuMsAfter] = [await board.ask("look"), await viewer.cpuMs()];
    // A page that cannot keep up only responds after the load ends.
    await board.ask("flood", 0);
    const noticed = await viewer.noticed(seconds);
    // Browsers don't report interactions below 16 ms.
    const quick = new Array<number>(Math.max(0, clickCount - noticed.clicksMs.length)).fill(16);
    const clicked = [...noticed.clicksMs, ...quick];
    // A page too busy to report a click target counts as blocked for the whole time.
    if (clicked.length === 0) clicked.push(seconds * 1_000);
    return {
      publishedPerSecond: ((after.head - before.head) / (after.at - before.at)) * 1_000,
      framesPerSecond: median(noticed.framesPerSecond),
      longestTaskMs: noticed.longestTaskMs,
      clickMs: median(clicked),
      worstClickMs: Math.max(...clicked),
      cpuPercent: ((cpuMsAfter - cpuMs) / (after.at - before.at)) * 100,
    };
  });
}

async function remembered({ perSecond, seconds, artifacts }: Flood): Promise<Figures> {
  return withBoard(0, artifacts, async (board, viewer, url) => {
    await viewer.open(`${url}/agents`);
    await untilWhole(board, viewer);
    await board.ask("flood", perSecond);
    const heaps: number[] = [];
    const clicks = NAMES.map((name) => `nav a[href^='/${name}']`);
    for (let minute = 0; minute < 3; minute++) {
      await viewer.watch(seconds, clicks, Math.min(2_000, (seconds * 1_000) / clicks.length));
      heaps.push(await viewer.heapMB());
    }
    const [firstHeapMB, secondHeapMB, thirdHeapMB] = heaps as [number, number, number];
    return { firstHeapMB, secondHeapMB, thirdHeapMB };
  });
}

function travelled(name: ScreenName, events: number, visits: number): Promise<Figures> {
  return withBoard(events, 0, async (_board, viewer, url) => {
    const opened = performance.now();
    const liveMs = await viewer.open(`${url}/${name}`);
    await viewer.watch(0.1, [SCREENS[name][0]], CLICK_MS);
    const { clicksMs } = await viewer.noticed(1);
    await viewer.ask(`whole(${events})`);
    const allSeconds = (performance.now() - opened) / 1_000;
    const { first, last } = await viewer.ask<{ first: number; last: number }>("range()");
    const took: number[] = [];
    for (let visit = 0; visit < visits; visit++) {
      took.push(await viewer.ask<number>(`travel(${first + Math.floor(Math.random() * (last - first + 1))})`));
      await pause(50);
    }
    return {
      interactiveMs: liveMs + Math.max(16, ...clicksMs),
      allSeconds,
      travelMs: median(took),
      worstTravelMs: Math.max(...took),
    };
  });
}

/** Measures how long it takes to read the same number of events without processing. */
function readAll(events: number): Promise<Figures> {
  return withBoard(events, 0, async (_board, viewer, url) => {
    return { allSeconds: (await viewer.openPlain(url, FLOOR, 0)) / 1_000 };
  });
}

function inBackground({ perSecond, seconds, artifacts }: Flood, hidden: boolean): Promise<Figures> {
  return withBoard(0, artifacts, async (board, viewer, url) => {
    await viewer.open(`${url}/events`);
    await untilWhole(board, viewer);
    await board.ask("flood", perSecond);
    if (hidden) await viewer.ask("hide(true)");
    await pause(Math.min(WARM_UP_MS, seconds * 1_000));
    const before = await viewer.cpuMs();
    await pause(seconds * 1_000);
    const cpuMs = (await viewer.cpuMs()) - before;
    const { head } = await board.ask("look");
    if (hidden) await viewer.ask("hide(false)");
    const rightAgainMs = await viewer.ask<number>(`shows(${head})`);
    return { cpuPercent: (cpuMs / (seconds * 1_000)) * 100, rightAgainMs };
  });
}

function loaded(name: ScreenName): Promise<Figures> {
  return withBoard(0, 20, async (_board, viewer, url) => {
    await viewer.open(`${url}/${name}`);
    const scriptKB = await viewer.scriptKB();
    await viewer.ask(`script("health-screen")`);
    await pause(500);
    return { scriptKB, allScriptKB: await viewer.scriptKB() };
  });
}
