import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Collection, ServerCalls } from "../calls.ts";
import { answer } from "../child.ts";

/** Events between two turns of the event loop, like one chunk of a model's answer. */
const CHUNK = 20;

/**
 * Makes a server process answer the suite.
 * @param publish receives the number of each event.
 */
export function serve(port: number, publish: (n: number) => void): void {
  let total = 0;
  let stops = 0;
  answer<ServerCalls>({
    port: () => port,
    measure: (collect) => {
      collectGarbage(collect);
      const { user, system } = process.cpuUsage();
      return {
        cpuMs: (user + system) / 1_000,
        rssMB: process.memoryUsage.rss() / 2 ** 20,
        timers: process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length,
      };
    },
    publish: async ({ events, perSecond }) => {
      const started = performance.now();
      const stopsBefore = stops;
      let i = 0;
      for (; i < events && stops === stopsBefore; i++) {
        if (perSecond === null) {
          if (i % CHUNK === 0) await nextTurn();
        } else {
          const wait = started + (i * 1_000) / perSecond - performance.now();
          // A late publisher continues immediately, but yields to its sockets in between, like any server.
          await (wait > 0 ? pause(wait) : nextTurn());
        }
        publish(total++);
      }
      return { total, events: i, elapsedMs: performance.now() - started };
    },
    stop: () => {
      stops += 1;
    },
  });
}

function collectGarbage(how: Collection): void {
  if (how === "once") globalThis.gc?.();
  // Also compacts the heap, so that memory returns to the system.
  if (how === "to the last") globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
