// Fails and prints each step. Argument: file. With "works", it retries the dead letter successfully.
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", how = ""] = process.argv.slice(2);
const Order = artifact("Order", z.object({ n: z.int() }));
const Pizza = artifact("Pizza", z.object({ n: z.int() }));

const flock = await Flock.open({ store: sqliteStore(file) });
flock
  .agent("chef")
  .consumes(Order)
  .publishes(Pizza)
  .retry({ attempts: 3, delay: 500, factor: 1, jitter: 0 })
  .run(({ Order: { n } }, { attempt, activationId }) => {
    console.log(`attempt ${attempt} of ${activationId}`);
    if (how !== "works") throw new Error("the oven is cold");
    return Pizza({ n });
  });
if (how === "begin") await flock.publish(Order({ n: 7 }));
if (how === "works") {
  const [letter] = await flock.deadLetters();
  if (letter) {
    console.log(`dead ${letter.id} after ${letter.attempts}: ${letter.error.message}`);
    console.log(`ended ${(await (await flock.retryDeadLetter(letter.id)).done).status}`);
  }
  console.log(
    `pizzas ${(await flock.store.getByType(Pizza)).length}, dead letters ${(await flock.deadLetters()).length}`,
  );
  await flock.shutdown();
} else {
  const waiting = setInterval(() => {
    // Ends of runs are counted at their commit.
    if (flock.stats().runs.error === 0) return;
    clearInterval(waiting);
    console.log("waits");
  }, 5);
  await flock.runUntilIdle();
  console.log(`dead letters ${(await flock.deadLetters()).length}`);
  setInterval(() => {}, 1_000);
}
