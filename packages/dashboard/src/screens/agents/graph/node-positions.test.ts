import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Point, settled } from "./node-positions.ts";

const SIZE = { width: 100, height: 50 };
const points = fc.record({ x: fc.integer({ min: 0, max: 900 }), y: fc.integer({ min: 0, max: 900 }) });

describe("node positions after a change", () => {
  it("existing nodes stay, and new ones do not overlap", () => {
    const ids = fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { minLength: 1 });
    fc.assert(
      fc.property(ids, ids, fc.array(points, { minLength: 10, maxLength: 10 }), (old, all, at) => {
        const grid = (list: readonly string[]) =>
          new Map(list.map((id, index) => [id, { x: (index % 3) * 120, y: Math.floor(index / 3) * 60 }]));
        const before = grid(old);
        const wanted = new Map(all.map((id, index) => [id, at[index] as Point]));
        const places = settled(
          before,
          wanted,
          () => all,
          () => SIZE,
        );
        expect([...places.keys()].sort()).toEqual([...all].sort());
        const stayed = all.filter((id) => before.has(id));
        for (const id of stayed) expect(places.get(id)).toEqual(before.get(id));
        if (stayed.length === 0) return;
        for (const id of all.filter((id) => !before.has(id))) {
          const { x, y } = places.get(id) as Point;
          for (const [other, place] of places) {
            if (other !== id)
              expect(Math.abs(place.x - x) < SIZE.width && Math.abs(place.y - y) < SIZE.height).toBe(false);
          }
        }
      }),
    );
  });

  it("the first positions are those of the layout", () => {
    const wanted = new Map([["a", { x: 1, y: 2 }]]);
    expect(
      settled(
        new Map(),
        wanted,
        () => [],
        () => SIZE,
      ),
    ).toEqual(wanted);
  });

  it("large nodes do not overlap either", () => {
    const wanted = new Map([..."abcd", "large"].map((id, index) => [id, { x: 0, y: index * 60 }]));
    const before = new Map([..."abcd"].map((id, index) => [id, { x: index * 120, y: 200 }]));
    const sizeOf = (id: string) => (id === "large" ? { width: 400, height: 400 } : SIZE);
    const { x, y } = settled(before, wanted, () => ["a"], sizeOf).get("large") as Point;
    for (const place of before.values()) {
      const overlaps = place.x < x + 400 && x < place.x + 100 && place.y < y + 400 && y < place.y + 50;
      expect(overlaps).toBe(false);
    }
  });
});
