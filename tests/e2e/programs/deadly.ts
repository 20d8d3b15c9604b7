// Bakes cakes; orders of poison end the process. Arguments: file, how it ends, and "begin" to publish the orders.
// With "harmless", nothing ends it, and it discards the newest dead letter and retries the oldest.
import { setImmediate as turn } from "node:timers/promises";
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", how = "", begin = ""] = process.argv.slice(2);
const Order = artifact("Order", z.object({ n: z.int(), poison: z.boolean() }));
const Cake = artifact("Cake", z.object({ n: z.int() }));

const flock = await Flock.open({ store: sqliteStore(file) });
flock
  .agent("baker")
  .consumes(Order)
  .publishes(Cake)
  .concurrency(how === "in line" ? 1 : 4)
  .run(({ Order: { n, poison } }, { attempt }) => {
    console.log(`order ${n}, attempt ${attempt}`);
    if (how === "harmless") return Cake({ n });
    if (how === "at once") return poison ? process.exit(1) : Cake({ n });
    return bake(n, poison);
  });

/** The process ends while other orders are in the oven. */
async function bake(n: number, poison: boolean) {
  for (let turns = poison ? 10 : 100; turns > 0; turns--) await turn();
  if (poison) {
    process.kill(process.pid, "SIGKILL");
    await new Promise<never>(() => {});
  }
  return Cake({ n });
}

if (begin) await flock.publish([1, 2, 3, 4, 5, 6].map((n) => Order({ n, poison: n === 1 || n === 4 })));
await flock.runUntilIdle();
const cakes = (await flock.store.getByType(Cake)).map(({ n }) => n).sort();
console.log(`cakes ${cakes.join()}`);
for (const { status, attempts, error } of await flock.deadLetters())
  console.log(`dead letter: ${status} after ${attempts}: ${error.name}: ${error.message}`);
if (how === "harmless") {
  const [newest, oldest] = await flock.deadLetters();
  if (newest) await flock.discardDeadLetter(newest.id);
  if (oldest) console.log(`retried: ${(await (await flock.retryDeadLetter(oldest.id)).done).status}`);
}
console.log(`left ${(await flock.deadLetters()).length}`);
await flock.shutdown();
