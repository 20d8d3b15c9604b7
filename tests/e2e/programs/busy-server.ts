// A server that is busy and is killed: chains of runs, streams and an AND gate, on the file and port that it is given.
import { artifact, Flock } from "flock";
import { sqliteStore } from "flock/stores/sqlite";
import { z } from "zod";

const [file = "", port = "0"] = process.argv.slice(2);
const Order = artifact("Order", z.object({ n: z.int() }));
const Dough = artifact("Dough", z.object({ n: z.int() }));
const Sauce = artifact("Sauce", z.object({ n: z.int() }));
const Pizza = artifact("Pizza", z.object({ n: z.int() }));

// A small tail: clients that come back read from the file.
const flock = new Flock({ store: sqliteStore(file), tailBytes: 64 * 1024 });
flock
  .agent("baker")
  .consumes(Order)
  .publishes(Dough)
  .run(async function* ({ Order: { n } }) {
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
  .agent("chef")
  .consumes(Dough, Sauce, { join: { by: "correlation" } })
  .publishes(Pizza)
  .run(({ Dough: { n } }) => Pizza({ n }));
const server = await flock.serve({ dashboard: true, port: Number(port) });
console.log(`port ${server.port}`);
