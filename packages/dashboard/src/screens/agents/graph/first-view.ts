import type { Box } from "./layered.ts";
import type { Point } from "./node-positions.ts";

/** The smallest zoom at which names are readable. */
export const NAMES_ZOOM = 0.45;
/** The largest zoom for small graphs. */
const CLOSE_ZOOM = 1.1;
/** The margin around the graph, in px. Closer to the border, dragging a node pans the view. */
export const MARGIN = 44;

/** The camera: the position of the graph's origin on the screen, in px, and the zoom. */
export interface View extends Point {
  readonly zoom: number;
}

type Size = Pick<Box, "width" | "height">;
export type PlacedBox = Box & Point;

/** Whether names are readable when the whole graph is in view. */
export function isReadable(boxes: readonly PlacedBox[], screen: Size): boolean {
  return wholeZoom(boxes, screen) >= NAMES_ZOOM;
}

/**
 * Returns the first view: the whole graph if names are readable, else one centered box with its surroundings. The
 * default box is the leftmost source.
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

/** Returns the zoom at which the whole graph is in view. */
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
