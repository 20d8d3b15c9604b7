import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstView, isReadable, MARGIN, NAMES_ZOOM, type PlacedBox } from "./first-view.ts";

const SCREEN = { width: 1_200, height: 500 };
const box = (id: string, x: number, y: number): PlacedBox => ({ id, x, y, width: 244, height: 92 });
/** A source of many agents, which are below each other. */
const fan = (count: number) => [
  box("source", 0, (count - 1) * 64),
  ...Array.from({ length: count }, (_, index) => box(`agent ${index}`, 400, index * 128)),
];

/** The position of a box on the screen. */
function seen(boxes: readonly PlacedBox[], id: string, from?: string) {
  const { x, y, zoom } = firstView(boxes, SCREEN, from);
  const it = boxes.find((box) => box.id === id) as PlacedBox;
  const [left, top] = [x + it.x * zoom, y + it.y * zoom];
  return { left, top, right: left + it.width * zoom, bottom: top + it.height * zoom };
}

function isInSight({ left, top, right, bottom }: ReturnType<typeof seen>): boolean {
  return left >= 0 && top >= 0 && right <= SCREEN.width && bottom <= SCREEN.height;
}

describe("the first view is readable", () => {
  it("centers a small graph without enlarging it", () => {
    expect(firstView([box("a", 0, 0)], SCREEN)).toEqual({
      x: (1_200 - 244 * 1.1) / 2,
      y: (500 - 92 * 1.1) / 2,
      zoom: 1.1,
    });
    expect(firstView([], SCREEN).zoom).toBe(1);
  });

  it("shows the whole graph while names are readable", () => {
    const boxes = fan(6);
    expect(isReadable(boxes, SCREEN)).toBe(true);
    expect(boxes.every(({ id }) => isInSight(seen(boxes, id)))).toBe(true);
  });

  it("shows the source of a large graph and some neighbors", () => {
    const boxes = fan(30);
    expect(isReadable(boxes, SCREEN)).toBe(false);
    expect(firstView(boxes, SCREEN).zoom).toBe(NAMES_ZOOM);
    expect(isInSight(seen(boxes, "source"))).toBe(true);
    expect(boxes.filter(({ id }) => isInSight(seen(boxes, id))).length).toBeGreaterThan(6);
  });

  it("starts at the start of a long chain", () => {
    const chain = Array.from({ length: 20 }, (_, index) => box(`${index}`, index * 400, 0));
    expect(seen(chain, "0").left).toBe(MARGIN);
  });

  it("shows the agent of the URL", () => {
    const boxes = fan(30);
    for (const { id } of boxes) expect(isInSight(seen(boxes, id, id))).toBe(true);
  });

  it("fills the screen with a large graph", () => {
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
