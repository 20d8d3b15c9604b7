import type { ArtifactState, FlockState } from "@flock-ts/protocol";

type Counts = ReadonlyMap<string, number>;

/** Cached for each change of the blackboard, because every line of the graph needs its own. */
const counted = new WeakMap<FlockState["artifacts"], Counts>();

/** Counts the retained artifacts of a type from one producer. */
export function publishedCount(artifacts: FlockState["artifacts"], producer: string, type: string): number {
  let counts = counted.get(artifacts);
  if (!counts) counted.set(artifacts, (counts = countAll(artifacts.values())));
  return counts.get(keyOf(producer, type)) ?? 0;
}

function countAll(artifacts: Iterable<ArtifactState>): Counts {
  const counts = new Map<string, number>();
  for (const { produced_by, artifact_type } of artifacts) {
    const key = keyOf(produced_by, artifact_type);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function keyOf(producer: string, type: string): string {
  return `${producer}\n${type}`;
}
