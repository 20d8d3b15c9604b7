// Runs a schedule until it is killed; each run takes as long as an interval. Argument: file.
import { setTimeout as pause } from "node:timers/promises";
import { artifact, Flock } from "flock-ts";
import { ArtifactsComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", overlap = "skip", interval = "50"] = process.argv.slice(2);
const Digest = artifact("Digest", z.object({ count: z.int() }));

// Each kill counts as a crash of the work that it interrupts.
const flock = await Flock.open({ store: sqliteStore(file), maxCrashes: 1_000 });
flock
  .agent("digest")
  .every(Number(interval), { overlap: overlap as "skip" | "queue" })
  .publishes(Digest)
  .run(async ({ ScheduleTick: { count } }, { attempt }) => {
    console.log(`begins ${count}, attempt ${attempt}`);
    await pause(Number(interval));
    return Digest({ count });
  });
const server = await flock.serve({ port: 0, components: [new ArtifactsComponent()] });
console.log(`port ${server.port}`);
