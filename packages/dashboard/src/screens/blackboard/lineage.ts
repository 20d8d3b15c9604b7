import type { ArtifactState, FlockState, RunState } from "@flock-ts/protocol";

/** A node of an artifact's lineage. */
export interface LineageNode {
  readonly id: string;
  /** An artifact, or a run that has not published anything. */
  readonly kind: "artifact" | "run";
  /** Absent when it is no longer retained. */
  readonly artifact?: ArtifactState;
  /** The run that produced the artifact, or the run that this node shows. */
  readonly run?: RunState;
  /** The distance from the selected artifact: negative for its inputs, positive for its consumers. */
  readonly step: number;
  readonly row: number;
}

/** From an input to an output. */
export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  readonly run: RunState;
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** Whether parts of the lineage are not shown. */
  readonly isCut: boolean;
}

/** The largest number of steps each way, and of nodes. */
const STEPS = 4;
const PLACES = 60;

/** Cached for each change of the runs, because every artifact needs its consumers. */
const readers = new WeakMap<FlockState["runs"], ReadonlyMap<string, readonly RunState[]>>();

/** Returns the runs that consumed an artifact, the oldest first. */
export function readersOf(runs: FlockState["runs"], artifactId: string): readonly RunState[] {
  let index = readers.get(runs);
  if (!index) {
    const made = new Map<string, RunState[]>();
    for (const run of runs.values()) {
      for (const id of run.consumed) {
        const list = made.get(id);
        if (list) list.push(run);
        else made.set(id, [run]);
      }
    }
    readers.set(runs, (index = made));
  }
  return index.get(artifactId) ?? [];
}

/** Computes the lineage of an artifact, some steps each way. */
export function lineageOf({ runs, artifacts }: Pick<FlockState, "runs" | "artifacts">, artifactId: string): Lineage {
  const steps = new Map<string, Omit<LineageNode, "row">>();
  const edges = new Map<string, LineageEdge>();
  let isCut = false;
  const place = (id: string, step: number): boolean => {
    if (steps.has(id)) return false;
    if (steps.size >= PLACES || Math.abs(step) > STEPS) {
      isCut = true;
      return false;
    }
    const artifact = artifacts.get(id);
    const run = artifact?.run_id === undefined ? undefined : runs.get(artifact.run_id);
    steps.set(id, { id, kind: "artifact", ...(artifact ? { artifact } : {}), ...(run ? { run } : {}), step });
    return true;
  };
  const connect = (from: string, to: string, run: RunState) => {
    if (steps.has(from) && steps.has(to)) edges.set(`${from} ${to}`, { from, to, run });
  };
  place(artifactId, 0);
  for (let layer = [artifactId], step = -1; layer.length > 0; step--) {
    const next: string[] = [];
    for (const id of layer) {
      const run = steps.get(id)?.run;
      for (const parent of run?.consumed ?? []) {
        if (place(parent, step)) next.push(parent);
        connect(parent, id, run as RunState);
      }
    }
    layer = next;
  }
  for (let layer = [artifactId], step = 1; layer.length > 0; step++) {
    const next: string[] = [];
    for (const id of layer) {
      for (const run of readersOf(runs, id)) {
        if (run.produced.length === 0) {
          // A run node, unless one of its artifacts is known.
          if (!steps.has(run.run_id) && steps.size < PLACES && step <= STEPS) {
            steps.set(run.run_id, { id: run.run_id, kind: "run", run, step });
          }
          connect(id, run.run_id, run);
        }
        for (const child of run.produced) {
          if (place(child, step)) next.push(child);
          connect(id, child, run);
        }
      }
    }
    layer = next;
  }
  const rows = new Map<number, number>();
  const nodes = [...steps.values()].map((node) => {
    const row = rows.get(node.step) ?? 0;
    rows.set(node.step, row + 1);
    return { ...node, row };
  });
  return { nodes, edges: [...edges.values()], isCut };
}
