import type { Flow } from "./flows.ts";
import type { Box, Layout } from "./layered.ts";

// In a worker, because a graph of a few hundred agents takes longer than a frame.
const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });

/** Computes node positions and lines. */
export function layout(boxes: readonly Box[], flows: readonly Flow[]): Promise<Layout> {
  const { port1: here, port2: there } = new MessageChannel();
  const answer = Promise.withResolvers<Layout>();
  here.addEventListener("message", ({ data }: MessageEvent<Layout>) => answer.resolve(data), { once: true });
  here.start();
  worker.postMessage({ boxes, flows }, [there]);
  return answer.promise.finally(() => here.close());
}
