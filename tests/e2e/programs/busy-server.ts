// A busy server that is killed: chains of runs, streams, early output, failures, an AND gate and batches. Arguments: file and port.
import { artifact, Flock, RunFailed } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", port = "0"] = process.argv.slice(2);
const Order = artifact("Order", z.object({ n: z.int() }));
const Started = artifact("Started", z.object({ n: z.int() }));
const Complaint = artifact("Complaint", z.object({ activation: z.string() }));
const Dough = artifact("Dough", z.object({ n: z.int() }));
const Sauce = artifact("Sauce", z.object({ n: z.int() }));
const Pizza = artifact("Pizza", z.object({ n: z.int() }));
const Delivery = artifact("Delivery", z.object({ ns: z.array(z.int()) }));

// A small log buffer, so that clients that resume read from the file. No input is to blame for the kills, however many.
const flock = await Flock.open({ store: sqliteStore(file), logBufferBytes: 64 * 1024, maxCrashes: 1_000 });
flock
  .agent("baker")
  .consumes(Order)
  .publishes(Dough, Started)
  .run(async function* ({ Order: { n } }, { publish }) {
    await publish(Started({ n }), { key: "started" });
    for (let i = 0; i < 5; i++) {
      yield `order ${n} piece ${i} 🍕 `;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return Dough({ n });
  });
flock
  .agent("cook")
  .consumes(Order)
  .publishes(Sauce)
  .run(({ Order: { n } }) => Sauce({ n }));
flock
  .agent("inspector")
  .consumes(Order)
  .run(({ Order: { n } }) => {
    if (n % 5 === 0) throw new Error(`order ${n} is suspicious`);
  });
flock
  .agent("manager")
  .consumes(RunFailed)
  .publishes(Complaint)
  .run(({ RunFailed: { activation_id } }) => Complaint({ activation: activation_id }));
flock
  .agent("chef")
  .consumes(Dough, Sauce, { join: { by: "correlation" } })
  .publishes(Pizza)
  .run(({ Dough: { n } }) => Pizza({ n }));
flock
  .agent("courier")
  .consumes(Pizza, { batch: { size: 7, timeout: 300 } })
  .publishes(Delivery)
  .run(({ Pizza: pizzas }) => Delivery({ ns: pizzas.map(({ n }) => n) }));
const server = await flock.serve({ dashboard: true, port: Number(port) });
console.log(`port ${server.port}`);
