import { Activity, Boxes, List, Network, Send } from "lucide-react";
import { type ComponentType, lazy } from "react";
import type { Screen } from "../place/place.ts";

/** A screen: what the navigation and the palette know of it. */
export interface ScreenEntry {
  readonly screen: Screen;
  readonly name: string;
  readonly icon: typeof Network;
  /** The letter after `g` that leads to it. */
  readonly key: string;
  /** What it answers, in a few words. */
  readonly about: string;
  /** Loaded when it is first shown. */
  readonly View: ComponentType;
}

/** Every screen, in the order of the navigation. */
export const SCREEN_ENTRIES: readonly ScreenEntry[] = [
  {
    screen: "agents",
    name: "Agents",
    icon: Network,
    key: "a",
    about: "who works, who waits, and what flows between them",
    View: lazy(() => import("../screens/agents/agents-screen.tsx")),
  },
  {
    screen: "runs",
    name: "Runs",
    icon: Activity,
    key: "r",
    about: "what each run read, wrote, took and cost",
    View: lazy(() => import("../screens/runs/runs-screen.tsx")),
  },
  {
    screen: "blackboard",
    name: "Blackboard",
    icon: Boxes,
    key: "b",
    about: "artifacts, where they come from and what became of them",
    View: lazy(() => import("../screens/blackboard/blackboard-screen.tsx")),
  },
  {
    screen: "events",
    name: "Events",
    icon: List,
    key: "e",
    about: "the log itself",
    View: lazy(() => import("../screens/events/events-screen.tsx")),
  },
  {
    screen: "publish",
    name: "Publish",
    icon: Send,
    key: "p",
    about: "put an artifact on the blackboard",
    View: lazy(() => import("../screens/publish/publish-screen.tsx")),
  },
];

/** The entry of a screen. */
export function entryOf(screen: Screen): ScreenEntry {
  return SCREEN_ENTRIES.find((entry) => entry.screen === screen) as ScreenEntry;
}
