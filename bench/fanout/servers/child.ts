import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { FromServer, ToServer } from "../messages.ts";

/** Events between two looks at the event loop: what one chunk of a model's answer brings. */
const CHUNK = 20;

/** Makes a server process do what the suite says. `publish` is given the number of each event. */
export function serve(port: number, publish: (n: number) => void): void {
  let published = 0;
  const tell = (message: FromServer) => process.send?.(message);
  process.on("message", async (message: ToServer) => {
    if (message.do === "end") process.exit(0);
    if (message.do === "measure") {
      globalThis.gc?.();
      const { user, system } = process.cpuUsage();
      tell({ is: "measure", cpuMs: (user + system) / 1_000, rssMB: process.memoryUsage().rss / 2 ** 20 });
      return;
    }
    const { events, perSecond } = message;
    const started = performance.now();
    for (let i = 0; i < events; i++) {
      if (perSecond !== null) {
        const wait = started + (i * 1_000) / perSecond - performance.now();
        if (wait > 0) await pause(wait);
      } else if (i % CHUNK === 0) await nextTurn();
      publish(published++);
    }
    tell({ is: "published" });
  });
  tell({ is: "listening", port });
}
