import { NODE } from "./layered.ts";
import type { Point } from "./places.ts";

/** The space between the agents in a frame, and above them for its name, in px. */
const GAP = 16;
const HEAD = 40;

/** About twice as wide as it is high, as most screens are. */
function columnsOf(count: number): number {
  return Math.max(1, Math.round(Math.sqrt((2 * count * (NODE.height + GAP)) / (NODE.width + GAP))));
}

/** What a frame around so many agents takes, in px. */
export function frameSize(count: number): { readonly width: number; readonly height: number } {
  const columns = columnsOf(count);
  return {
    width: columns * (NODE.width + GAP) + GAP,
    height: Math.ceil(count / columns) * (NODE.height + GAP) + GAP + HEAD,
  };
}

/** Where one of so many agents stands in its frame, in px. */
export function placeInFrame(index: number, count: number): Point {
  const columns = columnsOf(count);
  return {
    x: GAP + (index % columns) * (NODE.width + GAP),
    y: GAP + HEAD + Math.floor(index / columns) * (NODE.height + GAP),
  };
}
