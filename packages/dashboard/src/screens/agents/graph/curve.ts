/** A horizontal part of a line, from one x to another, in px. */
export interface Level {
  readonly y: number;
  readonly from: number;
  readonly to: number;
}

/** Returns an SVG path that is horizontal in the given parts and curves between them. */
export function curveThrough(levels: readonly Level[]): string {
  const parts: string[] = [];
  let before: Level | undefined;
  for (const level of levels) {
    const { y, from, to } = level;
    if (before) {
      const middle = (before.to + from) / 2;
      parts.push(before.y === y ? `H ${from}` : `C ${middle} ${before.y} ${middle} ${y} ${from} ${y}`);
    } else {
      parts.push(`M ${from} ${y}`);
    }
    if (to !== from) parts.push(`H ${to}`);
    before = level;
  }
  return parts.join(" ");
}
