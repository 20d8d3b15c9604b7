interface Point {
  readonly x: number;
  readonly y: number;
}

/** How round a corner is, in px. */
const RADIUS = 12;

/** An SVG path along straight lines through some points, with rounded corners. */
export function pathThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const parts = [`M ${first.x} ${first.y}`];
  let before = first;
  for (const [index, corner] of rest.entries()) {
    const after = rest[index + 1];
    if (after) {
      const start = towards(corner, before);
      const end = towards(corner, after);
      parts.push(`L ${start.x} ${start.y} Q ${corner.x} ${corner.y} ${end.x} ${end.y}`);
    } else {
      parts.push(`L ${corner.x} ${corner.y}`);
    }
    before = corner;
  }
  return parts.join(" ");
}

/** Where the rounding begins on the way from a corner to the next point: never past the middle between the two. */
function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: corner.x + (other.x - corner.x) * share, y: corner.y + (other.y - corner.y) * share };
}
