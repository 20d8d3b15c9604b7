import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstView, isReadable, MARGIN, NAMES_ZOOM, type PlacedBox } from "./first-view.ts";

const SCREEN = { width: 1_200, height: 500 };
const box = (id: string, x: number, y: number): PlacedBox => ({ id, x, y, width: 244, height: 92 });
/** One that gives to so many others, which stand below each other. */
const fan = (count: number) => [
  box("source", 0, (count - 1) * 64),
  ...Array.from({ length: count }, (_, index) => box(`agent ${index}`, 400, index * 128)),
];

/** Where a box is on the screen. */
function seen(boxes: readonly PlacedBox[], id: string, from?: string) {
  const { x, y, zoom } = firstView(boxes, SCREEN, from);
  const it = boxes.find((box) => box.id === id) as PlacedBox;
  const [left, top] = [x + it.x * zoom, y + it.y * zoom];
  return { left, top, right: left + it.width * zoom, bottom: top + it.height * zoom };
}

function isInSight({ left, top, right, bottom }: ReturnType<typeof seen>): boolean {
  return left >= 0 && top >= 0 && right <= SCREEN.width && bottom <= SCREEN.height;
}

describe("the first view can be read", () => {
  it("a small graph is in the middle, and not blown up", () => {
    expect(firstView([box("a", 0, 0)], SCREEN)).toEqual({
      x: (1_200 - 244 * 1.1) / 2,
      y: (500 - 92 * 1.1) / 2,
      zoom: 1.1,
    });
    expect(firstView([], SCREEN).zoom).toBe(1);
  });

  it("everything is in sight as long as names can be read", () => {
    const boxes = fan(6);
    expect(isReadable(boxes, SCREEN)).toBe(true);
    expect(boxes.every(({ id }) => isInSight(seen(boxes, id)))).toBe(true);
  });

  it("of a large graph the source is in sight, and some of those beside it", () => {
    const boxes = fan(30);
    expect(isReadable(boxes, SCREEN)).toBe(false);
    expect(firstView(boxes, SCREEN).zoom).toBe(NAMES_ZOOM);
    expect(isInSight(seen(boxes, "source"))).toBe(true);
    expect(boxes.filter(({ id }) => isInSight(seen(boxes, id))).length).toBeGreaterThan(6);
  });

  it("a long chain begins at its beginning", () => {
    const chain = Array.from({ length: 20 }, (_, index) => box(`${index}`, index * 400, 0));
    expect(seen(chain, "0").left).toBe(MARGIN);
  });

  it("whoever an address leads to is in sight", () => {
    const boxes = fan(30);
    for (const { id } of boxes) expect(isInSight(seen(boxes, id, id))).toBe(true);
  });

  it("a large graph fills the screen: nothing of it is given away to emptiness", () => {
    const points = fc.array(fc.tuple(fc.integer({ max: 9_000, min: 0 }), fc.integer({ max: 9_000, min: 0 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(points, (points) => {
        const boxes = points.map(([x, y], index) => box(`${index}`, x, y));
        const sides = boxes.map(({ id }) => seen(boxes, id));
        const width = Math.max(...sides.map(({ right }) => right)) - Math.min(...sides.map(({ left }) => left));
        if (width <= SCREEN.width) return;
        expect(Math.min(...sides.map(({ left }) => left))).toBeLessThanOrEqual(MARGIN + 0.001);
        expect(Math.max(...sides.map(({ right }) => right))).toBeGreaterThanOrEqual(SCREEN.width - MARGIN - 0.001);
      }),
    );
  });
});
