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
 * @param neighbors the neighbors of each node.
 * @param sizeOf the size of a node, including the space around it.
 */
export function settled(
  before: ReadonlyMap<string, Point>,
  wanted: ReadonlyMap<string, Point>,
  neighbors: (id: string) => readonly string[],
  sizeOf: (id: string) => { readonly width: number; readonly height: number },
): Map<string, Point> {
  const positions = new Map<string, Point>();
  for (const [id] of wanted) {
    const position = before.get(id);
    if (position) positions.set(id, position);
  }
  if (positions.size === 0) return new Map(wanted);
  /** Returns the lowest end of the nodes that overlap a position; undefined when none does. */
  const inTheWay = (id: string, { x, y }: Point) => {
    const { width, height } = sizeOf(id);
    let end: number | undefined;
    for (const [other, at] of positions) {
      const size = sizeOf(other);
      const overlaps = at.x < x + width && x < at.x + size.width && at.y < y + height && y < at.y + size.height;
      if (overlaps) end = Math.max(end ?? at.y + size.height, at.y + size.height);
    }
    return end;
  };
  for (const [id, position] of wanted) {
    if (positions.has(id)) continue;
    const anchor = neighbors(id).find((other) => positions.has(other)) ?? [...positions.keys()][0];
    const from = wanted.get(anchor as string) ?? position;
    const to = positions.get(anchor as string) ?? position;
    let free = { x: position.x - from.x + to.x, y: position.y - from.y + to.y };
    for (let end = inTheWay(id, free); end !== undefined; end = inTheWay(id, free)) free = { x: free.x, y: end };
    positions.set(id, free);
  }
  return positions;
}

const KEY = "flock-node-positions";

/** Returns the node positions that the viewer has set in this browser. */
export function movedPositions(): Map<string, Point> {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Point>));
  } catch {
    return new Map();
  }
}

/** Stores a node position that the viewer has set. */
export function rememberPosition(id: string, position: Point): void {
  localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(movedPositions()), [id]: position }));
}

/** Removes all stored positions. */
export function forgetPositions(): void {
  localStorage.removeItem(KEY);
}
