import { Graph, layout } from "@dagrejs/dagre";
import { curveThrough, type Level } from "./curve.ts";
import type { Flow } from "./flows.ts";
import { flowsBack } from "./loops.ts";
import type { Point } from "./node-positions.ts";

/** The size of a node on the screen, in px. */
export const NODE = { width: 244, height: 92 } as const;
/** The largest size of one line of an edge's label, in px. Its letters are narrower than this. */
const LABEL = { letter: 6.6, count: 44, line: 20 } as const;
/** Between nodes of a layer, between lines that pass it, and between layers, in px. */
const SPACE = { nodesep: 36, edgesep: 14, ranksep: 96 } as const;
/** The vertical distance of a backward line from the middle of a node's side, in px: half the distance of two lines. */
const BACK = (LABEL.line + SPACE.edgesep) / 2;
/** The horizontal distance between a self-loop's ends and its label, in px. */
const LOOP = 24;

/** A node to place and its size, in px. */
export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** The computed positions, in px. */
export interface Layout {
  readonly nodes: ReadonlyMap<string, Point>;
  /** The SVG path of each flow, and the center of its label. */
  readonly flows: ReadonlyMap<string, { readonly path: string; readonly label: Point }>;
}

/** The point is the middle of it. */
type Placed = Box & Point;
/** A label, and the points of its line, layer by layer. */
type Line = Placed & { readonly points: readonly Point[] };

/**
 * Computes a layout in layers from left to right, in the direction of the flow. Backward flow of a loop enters on the
 * right. Lines go around nodes. The result is deterministic.
 */
export function layered(boxes: readonly Box[], flows: readonly Flow[]): Layout {
  const { placed, lines } = arranged(boxes, flows);
  /** The width of each layer, by the x of its center. */
  const widths = new Map<number, number>();
  for (const { x, width } of [...placed.values(), ...lines]) widths.set(x, Math.max(widths.get(x) ?? 0, width));
  const paths = flows.map(({ id, source, target }, index) => {
    const [from, to, line] = [placed.get(source) as Placed, placed.get(target) as Placed, lines[index] as Line];
    const path = source === target ? loop(from, line) : pathOf(from, to, line, widths);
    return [id, { path, label: { x: line.x, y: line.y } }] as const;
  });
  return {
    nodes: new Map([...placed].map(([id, { x, y, width, height }]) => [id, { x: x - width / 2, y: y - height / 2 }])),
    flows: new Map(paths),
  };
}

/** Runs the library, with nodes in the order of declaration from top to bottom. */
function arranged(boxes: readonly Box[], flows: readonly Flow[]) {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ...SPACE });
  // Agents may have any name, and the library keeps names as keys of plain objects, where some are special.
  const keys = new Map(boxes.map(({ id }, index) => [id, `box ${index}`]));
  const back = flowsBack([...keys.keys()], flows);
  // The library receives an acyclic graph: backward flows are reversed for it, and their lines are reversed back
  // below.
  const edgeOf = (flow: Flow) => {
    const [from, to] = back.has(flow) ? [flow.target, flow.source] : [flow.source, flow.target];
    return { v: keys.get(from) as string, w: keys.get(to) as string, name: flow.id };
  };
  for (const { id, width, height } of boxes) graph.setNode(keys.get(id) as string, { id, width, height });
  for (const flow of flows) graph.setEdge(edgeOf(flow), { id: flow.id, ...labelSize(flow.types), labelpos: "c" });
  layout(graph);
  const placed: Placed[] = boxes.map(({ id }) => graph.node(keys.get(id) as string));
  const lines = flows.map((flow): Line => {
    const line: Line = { x: 0, y: 0, ...graph.edge(edgeOf(flow)) };
    return back.has(flow) ? { ...line, points: line.points.toReversed() } : line;
  });
  const height: number = graph.graph().height;
  const isUpsideDown = risesMostly(placed);
  const turned = <P extends Point>(point: P): P => (isUpsideDown ? { ...point, y: height - point.y } : point);
  return {
    placed: new Map(placed.map((box) => [box.id, turned(box)])),
    lines: lines.map((line) => ({ ...turned(line), points: line.points.map(turned) })),
  };
}

/** Whether nodes of a layer mostly go from bottom to top. The library treats both directions as equal. */
function risesMostly(boxes: readonly Placed[]): boolean {
  let balance = 0;
  for (const layer of Map.groupBy(boxes, ({ x }) => x).values()) {
    for (const [index, { y }] of layer.slice(1).entries()) balance += Math.sign((layer[index] as Placed).y - y);
  }
  return balance > 0;
}

function labelSize(types: readonly string[]): { readonly width: number; readonly height: number } {
  if (types.length === 0) return { width: 0, height: 0 };
  return {
    width: Math.max(...types.map(({ length }) => length)) * LABEL.letter + LABEL.count,
    height: types.length * LABEL.line,
  };
}

/** Horizontal across the layers it passes, which have nodes and labels, and curved between them. */
function pathOf(source: Placed, target: Placed, { points }: Line, widths: ReadonlyMap<number, number>): string {
  const direction = source.x < target.x ? 1 : -1;
  const side = (x: number, width: number, which: number) => x + (which * direction * width) / 2;
  const layer = (x: number, which: number) => side(x, widths.get(x) ?? 0, which);
  const levels = points.slice(1, -1).map(({ x, y }): Level => ({ y, from: layer(x, -1), to: layer(x, 1) }));
  /** Forward flow uses the middle of a node's side. Backward flow uses the side where it comes from. */
  const end = ({ y }: Placed, neighbor: Level | undefined) =>
    direction > 0 ? y : neighbor && neighbor.y < y ? y - BACK : y + BACK;
  return curveThrough([
    { y: end(source, levels[0]), from: side(source.x, source.width, 1), to: layer(source.x, 1) },
    ...levels,
    { y: end(target, levels.at(-1)), from: layer(target.x, -1), to: side(target.x, target.width, -1) },
  ]);
}

/** A loop from below or above a node, through the label and back. */
function loop({ x, y, height }: Placed, label: Line): string {
  const edge = y + (Math.sign(label.y - y) * height) / 2;
  const [right, left] = [x + label.width / 2 + LOOP, x - label.width / 2 - LOOP];
  return `M ${right} ${edge} Q ${right} ${label.y} ${x} ${label.y} Q ${left} ${label.y} ${left} ${edge}`;
}
