import type { Box } from "./layered.ts";
import type { Point } from "./places.ts";

/** Below this zoom nobody can read a name. */
export const NAMES_ZOOM = 0.45;
/** Small graphs are not blown up further. */
const CLOSE_ZOOM = 1.1;
/** What stays free around the graph, in px: nearer to the border, what is dragged pulls the picture along. */
export const MARGIN = 44;

/** How the picture is looked at: where its origin is on the screen, in px, and how much it is magnified. */
export interface View extends Point {
  readonly zoom: number;
}

type Size = Pick<Box, "width" | "height">;
export type PlacedBox = Box & Point;

/** Whether names can be read while everything is in sight. */
export function isReadable(boxes: readonly PlacedBox[], screen: Size): boolean {
  return wholeZoom(boxes, screen) >= NAMES_ZOOM;
}

/**
 * Where the viewer begins: with everything, as long as names can be read, else with one box in the middle and what is
 * around it. Without such a box that is the source furthest to the left.
 */
export function firstView(boxes: readonly PlacedBox[], screen: Size, from?: string): View {
  const sources = boxes.toSorted((one, other) => one.x - other.x);
  const centre = boxes.find(({ id }) => id === from) ?? sources[0];
  if (!centre) return { x: 0, y: 0, zoom: 1 };
  const zoom = Math.min(CLOSE_ZOOM, Math.max(NAMES_ZOOM, wholeZoom(boxes, screen)));
  const shift = (from: number, to: number, middle: number, room: number) => {
    const [atStart, atEnd] = [MARGIN - from * zoom, room - MARGIN - to * zoom];
    return atStart <= atEnd ? (atStart + atEnd) / 2 : Math.min(atStart, Math.max(atEnd, room / 2 - middle * zoom));
  };
  const { left, right, top, bottom } = boundsOf(boxes);
  return {
    x: shift(left, right, centre.x + centre.width / 2, screen.width),
    y: shift(top, bottom, centre.y + centre.height / 2, screen.height),
    zoom,
  };
}

/** The zoom at which everything is in sight. */
function wholeZoom(boxes: readonly PlacedBox[], screen: Size): number {
  const { left, right, top, bottom } = boundsOf(boxes);
  return Math.min((screen.width - 2 * MARGIN) / (right - left), (screen.height - 2 * MARGIN) / (bottom - top));
}

function boundsOf(boxes: readonly PlacedBox[]) {
  return {
    left: Math.min(...boxes.map(({ x }) => x)),
    right: Math.max(...boxes.map(({ x, width }) => x + width)),
    top: Math.min(...boxes.map(({ y }) => y)),
    bottom: Math.max(...boxes.map(({ y, height }) => y + height)),
  };
}
