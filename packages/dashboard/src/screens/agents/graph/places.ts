/** A point of the picture, in px. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Where nodes stand after the topology has changed: those that were there stay, what is new comes beside its neighbours,
 * as the layout has them to each other, and on top of nobody.
 *
 * @param before where nodes stood.
 * @param wanted where the layout would have all of them.
 * @param neighbours who is joined to whom.
 * @param sizeOf what a node takes, the space around it included.
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
  /** The lowest end of what is in the way of a node there; undefined when nothing is. */
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

/** Where the viewer has put nodes, in this browser. */
export function movedPlaces(): Map<string, Point> {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Point>));
  } catch {
    return new Map();
  }
}

/** Remembers where the viewer has put a node. */
export function rememberPlace(id: string, place: Point): void {
  localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(movedPlaces()), [id]: place }));
}

/** Forgets all of that. */
export function forgetPlaces(): void {
  localStorage.removeItem(KEY);
}
