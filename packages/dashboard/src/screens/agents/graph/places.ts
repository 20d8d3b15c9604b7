/** A point of the graph, in px. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Returns node positions after a change of the topology. Existing nodes keep theirs. New nodes are placed near their
 * neighbors, as in the layout, without overlap.
 *
 * @param before the previous positions.
 * @param wanted the layout's positions of all nodes.
 * @param neighbours the neighbors of each node.
 * @param sizeOf the size of a node, including the space around it.
 */
export function settled(
  before: ReadonlyMap<string, Point>,
  wanted: ReadonlyMap<string, Point>,
  neighbours: (id: string) => readonly string[],
  sizeOf: (id: string) => { readonly width: number; readonly height: number },
): Map<string, Point> {
  const places = new Map<string, Point>();
  for (const [id] of wanted) {
    const place = before.get(id);
    if (place) places.set(id, place);
  }
  if (places.size === 0) return new Map(wanted);
  /** Returns the lowest end of the nodes that overlap a position; undefined when none does. */
  const inTheWay = (id: string, { x, y }: Point) => {
    const { width, height } = sizeOf(id);
    let end: number | undefined;
    for (const [other, at] of places) {
      const size = sizeOf(other);
      const overlaps = at.x < x + width && x < at.x + size.width && at.y < y + height && y < at.y + size.height;
      if (overlaps) end = Math.max(end ?? at.y + size.height, at.y + size.height);
    }
    return end;
  };
  for (const [id, place] of wanted) {
    if (places.has(id)) continue;
    const anchor = neighbours(id).find((other) => places.has(other)) ?? [...places.keys()][0];
    const from = wanted.get(anchor as string) ?? place;
    const to = places.get(anchor as string) ?? place;
    let free = { x: place.x - from.x + to.x, y: place.y - from.y + to.y };
    for (let end = inTheWay(id, free); end !== undefined; end = inTheWay(id, free)) free = { x: free.x, y: end };
    places.set(id, free);
  }
  return places;
}

const KEY = "flock-places";

/** Returns the node positions that the viewer has set in this browser. */
export function movedPlaces(): Map<string, Point> {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Point>));
  } catch {
    return new Map();
  }
}

/** Stores a node position that the viewer has set. */
export function rememberPlace(id: string, place: Point): void {
  localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(movedPlaces()), [id]: place }));
}

/** Removes all stored positions. */
export function forgetPlaces(): void {
  localStorage.removeItem(KEY);
}
