import { JsonDiff } from "./json-diff.ts";
import { JsonTree } from "./json-tree.ts";
import { type PayloadSource, payloadAt } from "./payload-source.ts";

/** What can be laid out as rows, here or in a worker, from one payload or two. */
export interface Models {
  tree: JsonTree;
  diff: JsonDiff;
}

/** What is known of a model as soon as it is there. */
export interface ModelFacts {
  readonly rows: number;
  /** Values in a tree, changes in a comparison. */
  readonly count: number;
}

/** A model's methods, by name. */
export type Methods<M> = { [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] };

/** Lays out payloads that are here already. */
export function modelOf<K extends keyof Models>(kind: K, values: readonly unknown[]): Models[K] {
  return (kind === "tree" ? new JsonTree(values[0]) : new JsonDiff(values[0], values[1])) as Models[K];
}

export function describeModel(model: Models[keyof Models]): ModelFacts {
  return { rows: model.rowCount(), count: model instanceof JsonTree ? model.nodes : model.changes };
}

/** What a worker is asked: first to open a model, then for what its methods give. */
export type WorkerRequest =
  | { readonly id: number; readonly open: keyof Models; readonly sources: readonly PayloadSource[] }
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[] };

/** What it answers. */
export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** Answers a worker's requests, one model to a worker. */
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
