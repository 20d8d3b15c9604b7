import type { GraphEdge } from "@flock-ts/protocol";

/** Artifacts of some types that flow from one agent to another: drawn as one line. */
export interface Flow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** None when the line only says what belongs together. */
  readonly types: readonly string[];
}

/** Edges between the same two agents as one. */
export function flowsOf(edges: readonly GraphEdge[]): Flow[] {
  const flows = Map.groupBy(edges, ({ source, target }) => JSON.stringify([source, target]));
  return [...flows].map(([id, [first, ...others]]) => {
    const { source, target, artifact_type } = first as GraphEdge;
    return { id, source, target, types: [artifact_type, ...others.map((edge) => edge.artifact_type)] };
  });
}
