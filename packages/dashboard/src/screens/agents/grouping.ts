import type { GraphEdge, GraphNode } from "@flock/protocol";

/** A node of the picture: an agent, the outside, or agents that read and write the same. */
export interface DrawnNode {
  readonly id: string;
  readonly node: GraphNode;
  /** The agents that it stands for; one unless it is a group. */
  readonly members: readonly string[];
}

export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly GraphEdge[];
}

/** From so many agents on, those that read and write the same are drawn as one: nobody reads more boxes. */
export const MANY_AGENTS = 300;

/** The graph as it is drawn. */
export function drawnGraph(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  many: number = MANY_AGENTS,
): DrawnGraph {
  if (nodes.length <= many) return { nodes: nodes.map((node) => ({ id: node.id, node, members: [node.id] })), edges };
  const groups = Map.groupBy(nodes, ({ type, consumes, publishes }) =>
    JSON.stringify([type, [...consumes].sort(), [...publishes].sort()]),
  );
  const groupOf = new Map<string, string>();
  const drawn = [...groups].map(([key, members]): DrawnNode => {
    const [first] = members as [GraphNode];
    const id = members.length === 1 ? first.id : `group ${key}`;
    for (const member of members) groupOf.set(member.id, id);
    const label = members.length === 1 ? first.label : `${members.length.toLocaleString("en")} agents`;
    return { id, node: { ...first, id, label }, members: members.map((member) => member.id) };
  });
  const joined = new Map<string, GraphEdge>();
  for (const { source, target, artifact_type } of edges) {
    const [from, to] = [groupOf.get(source) ?? source, groupOf.get(target) ?? target];
    const id = `${from}→${to}:${artifact_type}`;
    joined.set(id, { id, source: from, target: to, artifact_type });
  }
  return { nodes: drawn, edges: [...joined.values()] };
}
