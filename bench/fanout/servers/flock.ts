import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifact, Flock, type RunContext } from "flock";
import { WebSocketServerComponent } from "flock/components/server";
import { sqliteStore } from "flock/stores/sqlite";
import { z } from "zod";
import { textOf } from "../messages.ts";
import { serve } from "./child.ts";

// As a user has it: an agent that streams. Each event is made, committed to a file, kept and filtered as in production.
const Go = artifact("Go", z.object({}));
const folder = mkdtempSync(join(tmpdir(), "flock-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const flock = new Flock({ store: sqliteStore(join(folder, "bench.db")) });
const streaming = Promise.withResolvers<RunContext>();
flock
  .agent("writer")
  .consumes(Go)
  .run(async (_, context) => {
    streaming.resolve(context);
    await new Promise(() => {});
  });
const server = await flock.serve({ components: [new WebSocketServerComponent()], port: 0 });
await flock.publish(Go({}));
const writer = await streaming.promise;
serve(server.port, (n) => writer.stream(textOf(n)));
