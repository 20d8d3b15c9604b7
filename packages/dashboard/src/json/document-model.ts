import { JsonDiff } from "./json-diff.ts";
import { JsonTree } from "./json-tree.ts";
import { type PayloadSource, payloadAt } from "./payload-source.ts";

/** Rows of one payload or of a comparison, computed here or in a worker. */
export interface Models {
  tree: JsonTree;
  diff: JsonDiff;
}

/** The initial facts of a model. */
export interface ModelFacts {
  readonly rows: number;
  /** The number of values in a tree, or of changes in a comparison. */
  readonly count: number;
}

/** A model's methods, by name. */
export type Methods<M> = { [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] };

/** Builds the model of payloads that are already loaded. */
export function modelOf<K extends keyof Models>(kind: K, values: readonly unknown[]): Models[K] {
  return (kind === "tree" ? new JsonTree(values[0]) : new JsonDiff(values[0], values[1])) as Models[K];
}

export function describeModel(model: Models[keyof Models]): ModelFacts {
  return { rows: model.rowCount(), count: model instanceof JsonTree ? model.nodes : model.changes };
}

/** A request to a worker: first opens a model, then calls its methods. */
export type WorkerRequest =
  | { readonly id: number; readonly open: keyof Models; readonly sources: readonly PayloadSource[] }
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[] };

/** A worker's response. */
export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** Serves a worker's requests. Each worker has one model. */
export function answering(): (request: WorkerRequest) => Promise<WorkerReply> {
  let model: Models[keyof Models] | undefined;
  return async (request) => {
    const { id } = request;
    try {
      if ("open" in request) {
        const values = await Promise.all(request.sources.map(payloadAt));
        model = modelOf(request.open, values);
        return { id, result: describeModel(model) };
      }
      const method = (model as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[request.method];
      return { id, result: method?.apply(model, [...request.args]) };
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  };
}
