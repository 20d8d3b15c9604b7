import type { GraphEdge, GraphNode } from "@flock-ts/protocol";

/** A node of the graph: an agent, the external producer, or a group of agents with the same inputs and outputs. */
export interface DrawnNode {
  readonly id: string;
  readonly node: GraphNode;
  /** The agents of the node; one unless it is a group. */
  readonly members: readonly string[];
  /** The group's name in the URL: its first agent. */
  readonly group?: string;
}

/** The agents of an open group, in a frame. They share the group's lines. */
export interface Frame {
  readonly id: string;
  /** The group's node. */
  readonly of: DrawnNode;
  readonly members: readonly DrawnNode[];
}

export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly GraphEdge[];
  readonly frames: readonly Frame[];
}

/** From this number of agents on, agents with the same inputs and outputs form a group, to keep the graph readable. */
export const MANY_AGENTS = 300;

/** Returns the graph to draw. `open` has the first agent of each open group. */
export function drawnGraph(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  { open = new Set(), many = MANY_AGENTS }: { readonly open?: ReadonlySet<string>; readonly many?: number } = {},
): DrawnGraph {
  if (nodes.length <= many) return { nodes: nodes.map(alone), edges, frames: [] };
  const groups = Map.groupBy(nodes, ({ type, consumes, publishes }) =>
    JSON.stringify([type, [...consumes].sort(), [...publishes].sort()]),
  );
  const groupOf = new Map<string, string>();
  const frames: Frame[] = [];
  const drawn = [...groups.values()].map((members): DrawnNode => {
    const [first] = members as [GraphNode];
    if (members.length === 1) return alone(first);
    const id = `group ${first.id}`;
    for (const member of members) groupOf.set(member.id, id);
    const label = `${members.length.toLocaleString("en")} agents`;
    const group = { id, node: { ...first, id, label }, members: members.map((member) => member.id), group: first.id };
    if (open.has(first.id)) frames.push({ id: `members of ${first.id}`, of: group, members: members.map(alone) });
    return group;
  });
  const joined = new Map<string, GraphEdge>();
  for (const { source, target, artifact_type } of edges) {
    const [from, to] = [groupOf.get(source) ?? source, groupOf.get(target) ?? target];
    const id = `${from}→${to}:${artifact_type}`;
    joined.set(id, { id, source: from, target: to, artifact_type });
  }
  return { nodes: drawn, edges: [...joined.values()], frames };
}

function alone(node: GraphNode): DrawnNode {
  return { id: node.id, node, members: [node.id] };
}
