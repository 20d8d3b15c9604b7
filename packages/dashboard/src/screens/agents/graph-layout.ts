import type { GraphEdge } from "@flock/protocol";
import elkApi, { type ELK, type ElkNode, type ElkPoint } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { pathThrough } from "./rounded-path.ts";

/** What a node takes on the screen, in px. */
export const NODE = { width: 244, height: 92 } as const;
/** What one line of an edge's label takes at most, in px: its letters are narrower than this. */
const LABEL = { letter: 6.6, count: 44, line: 20 } as const;

/** Artifacts of some types that flow from one agent to another: drawn as one line. */
export interface Flow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** None when the line only says what belongs together. */
  readonly types: readonly string[];
}

/** What is to be placed, and the space that it takes, in px. */
export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** Where everything stands, in px. */
export interface Layout {
  readonly nodes: ReadonlyMap<string, ElkPoint>;
  /** The line of each flow as SVG wants it, and the middle of its label. */
  readonly flows: ReadonlyMap<string, { readonly path: string; readonly label: ElkPoint }>;
}

// In a worker: a graph of a few hundred agents takes longer than a frame.
// The package is CommonJS: its types put the class one level deeper than bundlers do.
const Elk = elkApi as unknown as typeof elkApi.default;
const elk: ELK = new Elk({ workerUrl });

/** Edges between the same two agents as one. */
export function flowsOf(edges: readonly GraphEdge[]): Flow[] {
  const flows = Map.groupBy(edges, ({ source, target }) => JSON.stringify([source, target]));
  return [...flows].map(([id, [first, ...others]]) => {
    const { source, target, artifact_type } = first as GraphEdge;
    return { id, source, target, types: [artifact_type, ...others.map((edge) => edge.artifact_type)] };
  });
}

/** Where each node stands: layers from left to right, as the artifacts flow; lines go around nodes, not through them. */
export async function layout(boxes: readonly Box[], flows: readonly Flow[]): Promise<Layout> {
  const graph: ElkNode = await elk.layout({
    id: "flow",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
      // A loop goes back to who was declared first.
      "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
      "elk.layered.feedbackEdges": "true",
      "elk.spacing.nodeNode": "36",
      "elk.spacing.edgeNode": "24",
      "elk.spacing.edgeEdge": "14",
      "elk.layered.spacing.nodeNodeBetweenLayers": "48",
      "elk.layered.spacing.edgeNodeBetweenLayers": "20",
    },
    children: boxes.map((box) => ({ ...box })),
    edges: flows.map(({ id, source, target, types }) => ({
      id,
      sources: [source],
      targets: [target],
      labels:
        types.length === 0
          ? []
          : [
              {
                text: types.join("\n"),
                width: Math.max(...types.map(({ length }) => length)) * LABEL.letter + LABEL.count,
                height: types.length * LABEL.line,
                layoutOptions: { "elk.edgeLabels.inline": "true" },
              },
            ],
    })),
  });
  return {
    nodes: new Map((graph.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }])),
    flows: new Map(
      (graph.edges ?? []).map(({ id, sections = [], labels = [] }) => {
        const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
          startPoint,
          ...bendPoints,
          endPoint,
        ]);
        const { x = 0, y = 0, width = 0, height = 0 } = labels[0] ?? {};
        return [id, { path: pathThrough(points), label: { x: x + width / 2, y: y + height / 2 } }];
      }),
    ),
  };
}
