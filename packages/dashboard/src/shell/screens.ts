import { Activity, AudioLines, Boxes, HeartPulse, List, Network, Send, SlidersHorizontal } from "lucide-react";
import { type ComponentType, lazy } from "react";
import type { Screen } from "../router/route.ts";

/** A screen as the navigation and the palette show it. */
export interface ScreenEntry {
  readonly screen: Screen;
  readonly name: string;
  /** Its name for narrow windows. */
  readonly short?: string;
  readonly icon: typeof Network;
  /** The letter of its shortcut, after `g`. */
  readonly key: string;
  /** A short description. */
  readonly about: string;
  /** Loaded when it is first shown. */
  readonly View: ComponentType;
  readonly load: () => Promise<unknown>;
}

function loaded(load: () => Promise<{ default: ComponentType }>) {
  return { View: lazy(load), load };
}

/** Every screen, in the order of the navigation. */
export const SCREEN_ENTRIES: readonly ScreenEntry[] = [
  {
    screen: "agents",
    name: "Agents",
    icon: Network,
    key: "a",
    about: "agent status, gates and artifact flow",
    ...loaded(() => import("../screens/agents/agents-screen.tsx")),
  },
  {
    screen: "runs",
    name: "Runs",
    icon: Activity,
    key: "r",
    about: "inputs, outputs, duration and cost of each run",
    ...loaded(() => import("../screens/runs/runs-screen.tsx")),
  },
  {
    screen: "output",
    name: "Live output",
    short: "Output",
    icon: AudioLines,
    key: "o",
    about: "live streams side by side",
    ...loaded(() => import("../screens/output/output-screen.tsx")),
  },
  {
    screen: "blackboard",
    name: "Blackboard",
    short: "Board",
    icon: Boxes,
    key: "b",
    about: "artifacts and their lineage",
    ...loaded(() => import("../screens/blackboard/blackboard-screen.tsx")),
  },
  {
    screen: "events",
    name: "Events",
    icon: List,
    key: "e",
    about: "the event log",
    ...loaded(() => import("../screens/events/events-screen.tsx")),
  },
  {
    screen: "publish",
    name: "Publish",
    icon: Send,
    key: "p",
    about: "publish artifacts and answer questions",
    ...loaded(() => import("../screens/publish/publish-screen.tsx")),
  },
  {
    screen: "control",
    name: "Control",
    icon: SlidersHorizontal,
    key: "c",
    about: "pause agents, cancel runs, retry dead letters",
    ...loaded(() => import("../screens/control/control-screen.tsx")),
  },
  {
    screen: "system",
    name: "Health",
    icon: HeartPulse,
    key: "h",
    about: "connections, rates, memory and lag",
    ...loaded(() => import("../screens/system/health-screen.tsx")),
  },
];

/** The entry of a screen. */
export function entryOf(screen: Screen): ScreenEntry {
  return SCREEN_ENTRIES.find((entry) => entry.screen === screen) as ScreenEntry;
}

/** Loads the other screens when the page is idle, so that they also open while the server is unavailable. */
export async function loadOtherScreens(): Promise<void> {
  for (const { load } of SCREEN_ENTRIES) await load().catch(() => {});
}
