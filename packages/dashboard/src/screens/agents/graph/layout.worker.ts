import type { Flow } from "./flows.ts";
import { type Box, layered } from "./layered.ts";

addEventListener("message", ({ data, ports: [asker] }: MessageEvent<{ boxes: Box[]; flows: Flow[] }>) =>
  asker?.postMessage(layered(data.boxes, data.flows)),
);
