import type { GraphEdge } from "@flock-ts/protocol";

/** The flow of artifact types from one agent to another, drawn as one line. */
export interface Flow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** Empty when the line only connects the parts of a group. */
  readonly types: readonly string[];
}

/** Merges the edges between the same two agents. */
export function flowsOf(edges: readonly GraphEdge[]): Flow[] {
  const flows = Map.groupBy(edges, ({ source, target }) => JSON.stringify([source, target]));
  return [...flows].map(([id, [first, ...others]]) => {
    const { source, target, artifact_type } = first as GraphEdge;
    return { id, source, target, types: [artifact_type, ...others.map((edge) => edge.artifact_type)] };
  });
}
