import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "./flows.ts";
import { type Box, type Layout, layered, NODE } from "./layered.ts";
import type { Point } from "./node-positions.ts";

/** A graph as `a>b a>c`. */
function graph(text: string, types = ["Thing"]): [Box[], Flow[]] {
  const pairs = text.split(" ").map((pair) => pair.split(">") as [string, string]);
  return [
    [...new Set(pairs.flat())].map((id) => ({ id, ...NODE })),
    pairs.map(([source, target]) => ({ id: `${source}>${target}`, source, target, types })),
  ];
}

const at = ({ nodes }: Layout, id: string) => nodes.get(id) as Point;
const line = ({ flows }: Layout, id: string) => flows.get(id) as { path: string; label: Point };

/** Points along a path of M, H and C, close to each other. */
function* along(path: string): Generator<Point> {
  let [x, y] = [0, 0];
  for (const [, command, numbers = ""] of path.matchAll(/([MHC])([^MHC]*)/g)) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers.trim().split(" ").map(Number);
    const [toX, toY] = command === "C" ? [e, f] : command === "H" ? [a, y] : [a, b];
    for (let step = 0; step <= 20; step++) {
      const [t, s] = [step / 20, 1 - step / 20];
      if (command === "H") yield { x: x * s + toX * t, y };
      if (command === "C") {
        yield {
          x: s ** 3 * x + 3 * s * s * t * a + 3 * s * t * t * c + t ** 3 * e,
          y: s ** 3 * y + 3 * s * s * t * b + 3 * s * t * t * d + t ** 3 * f,
        };
      }
    }
    [x, y] = [toX, toY];
  }
}

describe("layers follow the flow from left to right", () => {
  it("a chain is a straight line", () => {
    const chain = layered(...graph("a>b b>c c>d"));
    const places = [..."abcd"].map((id) => at(chain, id));
    expect(new Set(places.map(({ y }) => y)).size).toBe(1);
    expect(places.map(({ x }) => x)).toEqual(places.map(({ x }) => x).toSorted((one, other) => one - other));
    expect(line(chain, "b>c").path).not.toContain("C");
  });

  it("nodes of a layer keep the order of declaration", () => {
    const fan = layered(...graph("from>a from>b from>c from>d a>to b>to c>to d>to"));
    const ys = [..."abcd"].map((id) => at(fan, id).y);
    expect(ys).toEqual(ys.toSorted((one, other) => one - other));
  });

  it("backward flow leaves on the left and enters on the right", () => {
    const loop = layered(...graph("outside>writer writer>critic critic>writer"));
    const [writer, critic] = [at(loop, "writer"), at(loop, "critic")];
    expect(critic.x).toBeGreaterThan(writer.x);
    const points = [...along(line(loop, "critic>writer").path)];
    expect(points[0]?.x).toBe(critic.x);
    expect(points.at(-1)?.x).toBe(writer.x + NODE.width);
    expect(points[0]?.y).not.toBe(critic.y + NODE.height / 2);
  });

  it("a loop with several external inputs starts at all of them", () => {
    const loop = layered(...graph("outside>a outside>b a>critic b>critic critic>a critic>b"));
    expect(at(loop, "a").x).toBe(at(loop, "b").x);
    expect(at(loop, "critic").x).toBeGreaterThan(at(loop, "b").x);
  });

  it("a self-loop has its label outside the box", () => {
    const own = layered(...graph("a>b b>b b>c"));
    const [box, { path, label }] = [at(own, "b"), line(own, "b>b")];
    expect(label.y < box.y || label.y > box.y + NODE.height).toBe(true);
    expect(path).not.toMatch(/NaN|undefined/);
  });

  it("supports any agent name", () => {
    const names = layered(...graph("__proto__>constructor constructor>1 1>box 1>_d1"));
    expect([...names.nodes.keys()]).toEqual(["__proto__", "constructor", "1", "box", "_d1"]);
    expect(names.flows.size).toBe(4);
  });

  it("supports an empty graph and a single node", () => {
    expect(layered([], []).nodes.size).toBe(0);
    expect(layered([{ id: "a", ...NODE }], []).nodes).toEqual(new Map([["a", { x: 0, y: 0 }]]));
  });
});

describe("for any graph", () => {
  const ids = fc.constantFrom(..."abcdefgh");
  const pairs = fc.uniqueArray(
    fc.tuple(ids, ids).map(([source, target]) => `${source}>${target}`),
    { minLength: 1, maxLength: 16 },
  );

  it("boxes and labels do not overlap, lines avoid boxes, and the result is deterministic", () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 3 }), (pairs, count) => {
        const [boxes, flows] = graph(pairs.join(" "), ["Thing", "Idea", "LongishName"].slice(0, count));
        // One is wide and high, like a frame.
        const sized = boxes.map((box, index) => (index === 2 ? { ...box, width: 600, height: 300 } : box));
        const all = layered(sized, flows);
        expect(layered(sized, flows)).toEqual(all);
        const placed = sized.map((box) => ({ ...box, ...at(all, box.id) }));
        const covers = (box: Box & Point, { x, y }: Point, around = 0) =>
          x > box.x - around && x < box.x + box.width + around && y > box.y - around && y < box.y + box.height + around;
        for (const [index, one] of placed.entries()) {
          for (const other of placed.slice(index + 1)) {
            expect(
              one.x < other.x + other.width &&
                other.x < one.x + one.width &&
                one.y < other.y + other.height &&
                other.y < one.y + one.height,
            ).toBe(false);
          }
        }
        for (const { id, source, target } of flows) {
          const { path, label } = line(all, id);
          for (const box of placed) {
            expect(covers(box, label)).toBe(false);
            if (source === target) continue;
            // Its ends are on the border.
            for (const point of along(path)) expect(covers(box, point, -0.01)).toBe(false);
          }
        }
        const labels = flows.map(({ id }) => line(all, id).label);
        for (const [index, one] of labels.entries()) {
          for (const other of labels.slice(index + 1)) {
            expect(Math.abs(one.x - other.x) > 40 || Math.abs(one.y - other.y) >= 20 * count).toBe(true);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
