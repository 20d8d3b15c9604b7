// Publishes with durability "full" until it is killed. Prints the number of each artifact once it is acknowledged.
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { z } from "zod";

const [file = ""] = process.argv.slice(2);
const Order = artifact("Order", z.object({ n: z.int() }));
const flock = await (await Flock.open({ store: sqliteStore(file, { durability: "full" }) })).register(Order);
const publishAll = async (first: number) => {
  for (let n = first; ; n += 3) {
    await flock.publish(Order({ n }));
    console.log(`acknowledged ${n}`);
  }
};
await Promise.all([0, 1, 2].map(publishAll));
