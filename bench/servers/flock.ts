import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifact, Flock, type RunContext } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";
import type { ServerOptions } from "../calls.ts";
import { optionsOf } from "../child.ts";
import { textOf, workflowOf } from "../event.ts";
import { serve } from "./serve.ts";

// A realistic setup: an agent that streams. Each event is created, committed to a file, buffered and filtered as in
// production.
const {
  workflows = 1,
  heartbeatMs,
  logBufferBytes,
  separate = false,
  compression = false,
} = optionsOf<ServerOptions>();
const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
const flock = await Flock.open({
  store: sqliteStore(join(folder, "bench.db")),
  ...(logBufferBytes === undefined ? {} : { logBufferBytes }),
});
// The process is killed after the measurement; an open file needs no name.
rmSync(folder, { recursive: true, force: true });

const Go = artifact("Go", z.object({ workflow: z.int() }));
const writers: RunContext[] = [];
const allWrite = Promise.withResolvers<void>();
flock
  .agent("writer")
  .consumes(Go)
  .concurrency(workflows)
  .run(async ({ Go: { workflow } }, context) => {
    writers[workflow] = context;
    if (writers.filter(Boolean).length === workflows) allWrite.resolve();
    await new Promise(() => {});
  });
const heartbeat = heartbeatMs === undefined ? {} : { enableHeartbeat: true, heartbeatInterval: heartbeatMs / 1_000 };
const server = await flock.serve({
  components: [new WebSocketServerComponent({ ...heartbeat, compression })],
  port: 0,
});
for (let workflow = 0; workflow < workflows; workflow++) {
  await flock.publish(Go({ workflow }), { correlationId: workflowOf(workflow) });
}
await allWrite.promise;
serve(server.port, (n) => {
  writers[n % workflows]?.stream(textOf(n), separate && n % 2 === 1 ? { outputType: "line" } : {});
});
