import type { GraphEdge, GraphNode } from "@flock/protocol";
import elkApi, { type ELK } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";

/** What a node takes on the screen, in px. */
export const NODE = { width: 220, height: 92 } as const;

// In a worker: a graph of a few hundred agents takes longer than a frame.
// The package is CommonJS: its types put the class one level deeper than bundlers do.
const Elk = elkApi as unknown as typeof elkApi.default;
const elk: ELK = new Elk({ workerUrl });

/** Where each node stands, by id: layers from left to right, as the artifacts flow. */
export async function layout(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): Promise<Map<string, { x: number; y: number }>> {
  const graph = await elk.layout({
    id: "flow",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      // A loop goes back to who was declared first.
      "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
      "elk.spacing.nodeNode": "36",
      "elk.layered.spacing.nodeNodeBetweenLayers": "130",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
    },
    children: nodes.map(({ id }) => ({ id, ...NODE })),
    edges: edges.map(({ id, source, target }) => ({ id, sources: [source], targets: [target] })),
  });
  return new Map((graph.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}
