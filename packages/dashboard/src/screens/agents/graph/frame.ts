import { NODE } from "./layered.ts";
import type { Point } from "./node-positions.ts";

/** The space between the agents in a frame, and above them for its name, in px. */
const GAP = 16;
const HEAD = 40;

/** About twice as wide as high, like most screens. */
function columnsOf(count: number): number {
  return Math.max(1, Math.round(Math.sqrt((2 * count * (NODE.height + GAP)) / (NODE.width + GAP))));
}

/** Returns the size of a frame around a number of agents, in px. */
export function frameSize(count: number): { readonly width: number; readonly height: number } {
  const columns = columnsOf(count);
  return {
    width: columns * (NODE.width + GAP) + GAP,
    height: Math.ceil(count / columns) * (NODE.height + GAP) + GAP + HEAD,
  };
}

/** Returns the position of an agent in its frame, in px. */
export function positionInFrame(index: number, count: number): Point {
  const columns = columnsOf(count);
  return {
    x: GAP + (index % columns) * (NODE.width + GAP),
    y: GAP + HEAD + Math.floor(index / columns) * (NODE.height + GAP),
  };
}
