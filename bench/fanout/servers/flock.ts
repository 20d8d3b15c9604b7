import { artifact, Flock, type RunContext } from "flock";
import { WebSocketServerComponent } from "flock/components/server";
import { z } from "zod";
import { textOf } from "../messages.ts";
import { serve } from "./child.ts";

// As a user has it: an agent that streams. Each event is made, committed, kept and filtered as in production.
const Go = artifact("Go", z.object({}));
const flock = new Flock();
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
