// A kitchen with its dashboard on a persistent store. Arguments: file and port. Prints its port.
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = "", port = "0"] = process.argv.slice(2);
const Order = artifact("Order", z.object({ dish: z.string() }));
const flock = await Flock.open({ store: sqliteStore(file) });
flock
  .agent("chef")
  .consumes(Order)
  .run(() => undefined);
const server = await flock.serve({ dashboard: true, components: [], port: Number(port) });
console.log(`port ${server.port}`);
