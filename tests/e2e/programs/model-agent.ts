// A flock with a function agent, then a model agent; prints its progress. Argument: name of the model.
import { artifact, Flock, FlockError } from "flock-ts";
import { z } from "zod";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

const flock = new Flock({ model: process.argv[2] ?? "" });
flock
  .agent("cook")
  .consumes(Idea)
  .publishes(Pizza)
  .run(({ Idea: idea }) => Pizza({ name: idea.text }));
await flock.publish(Idea({ text: "by hand" }));
await flock.runUntilIdle();
console.log(`${(await flock.store.getByType(Pizza)).length} by function`);
try {
  flock.agent("chef").consumes(Idea).publishes(Pizza);
  await flock.runUntilIdle();
  console.log("the model is there");
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
await flock.shutdown();
