import { useEffect, useMemo, useState } from "react";
import {
  describeModel,
  type Methods,
  type ModelFacts,
  type Models,
  modelOf,
  type WorkerReply,
} from "./document-model.ts";
import { isFew, type PayloadSource } from "./payload-source.ts";

type Results<M, K extends keyof Methods<M>> = Methods<M>[K] extends (...args: never[]) => infer R ? R : never;
type Arguments<M, K extends keyof Methods<M>> = Methods<M>[K] extends (...args: infer A) => unknown ? A : never;

/** A model that answers synchronously when it is local, and asynchronously from a worker. */
export interface Host<M> {
  readonly facts: ModelFacts;
  /** The local model, if any. */
  readonly here: M | undefined;
  call<K extends keyof Methods<M>>(method: K, ...args: Arguments<M, K>): Results<M, K> | Promise<Results<M, K>>;
}

export type Opened<M> =
  | { readonly status: "opening" }
  | { readonly status: "failed"; readonly message: string }
  | { readonly status: "open"; readonly host: Host<M> };

/** Builds models of payloads: small ones at once, large and fetched ones in a worker. */
export function useModel<K extends keyof Models>(kind: K, ...sources: readonly PayloadSource[]): Opened<Models[K]> {
  const identity = sources.map((source) => ("value" in source ? source.value : source.url));
  // biome-ignore lint/correctness/useExhaustiveDependencies: sources with the same key are equal
  const here = useMemo<Opened<Models[K]> | undefined>(() => {
    const values = sources.flatMap((source) => ("value" in source && isFew(source.value) ? [source.value] : []));
    if (values.length < sources.length) return undefined;
    try {
      return { status: "open", host: hostHere(modelOf(kind, values)) };
    } catch (error) {
      return { status: "failed", message: (error as Error).message };
    }
  }, [kind, ...identity]);
  const [there, setThere] = useState<Opened<Models[K]>>({ status: "opening" });
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (here) return;
    setThere({ status: "opening" });
    return openInWorker(kind, sources, setThere);
  }, [here, kind, ...identity]);
  return here ?? there;
}

/** Handles an answer now or when it arrives. */
export function then<T>(reply: T | Promise<T>, take: (result: T) => void): void {
  if (reply instanceof Promise) void reply.then(take);
  else take(reply);
}

function hostHere<K extends keyof Models>(model: Models[K]): Host<Models[K]> {
  const methods = model as unknown as Record<string, (...args: unknown[]) => never>;
  return { facts: describeModel(model), here: model, call: (method, ...args) => methods[method as string]!(...args) };
}

function openInWorker<K extends keyof Models>(
  kind: K,
  sources: readonly PayloadSource[],
  emit: (opened: Opened<Models[K]>) => void,
): () => void {
  const worker = new Worker(new URL("./document-model.worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, PromiseWithResolvers<never>>();
  let lastId = 0;
  const ask = (request: object): Promise<never> => {
    const answer = Promise.withResolvers<never>();
    waiting.set(++lastId, answer);
    worker.postMessage({ id: lastId, ...request });
    return answer.promise;
  };
  worker.addEventListener("message", ({ data }: MessageEvent<WorkerReply>) => {
    const answer = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) answer?.reject(new Error(data.error));
    else answer?.resolve(data.result as never);
  });
  worker.addEventListener("error", () => {
    emit({ status: "failed", message: "the payload worker did not start" });
  });
  let isWanted = true;
  ask({ open: kind, sources }).then(
    (facts: ModelFacts) => {
      const call = (method: PropertyKey, ...args: unknown[]) => ask({ method, args });
      if (isWanted) emit({ status: "open", host: { facts, here: undefined, call } as Host<Models[K]> });
    },
    (error: Error) => isWanted && emit({ status: "failed", message: error.message }),
  );
  return () => {
    isWanted = false;
    worker.terminate();
  };
}
