import { artifact, Flock, type FlockOptions } from "flock-ts";
import { z } from "zod";
import { startServer, type TestServer } from "./server.ts";

/** What a guest says. */
export const Idea = artifact("Idea", z.object({ description: z.string() }));
/** What the chef makes of it. */
export const Pizza = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));

/** A flock with one agent, which streams a sentence and publishes a pizza for each idea; it fails on a pineapple. */
export function pizzeria(options: FlockOptions | Flock = {}): Flock {
  const flock = options instanceof Flock ? options : new Flock(options);
  flock
    .agent("pizza_master")
    .description("Invents pizzas")
    .consumes(Idea)
    .publishes(Pizza)
    .run(async function* ({ Idea: idea }) {
      yield "Thinking about ";
      yield idea.description;
      if (idea.description === "pineapple") throw new RangeError("not on my pizza");
      return Pizza({ name: `Pizza with ${idea.description}`, toppings: [idea.description] });
    });
  return flock;
}

/** A pizzeria with its dashboard, where one pizza was made and one refused. */
export async function servedPizzeria(): Promise<TestServer> {
  const server = await startServer({ flock: pizzeria(), components: [], dashboard: true });
  await server.flock.publish(Idea({ description: "truffle" }));
  await server.flock.publish(Idea({ description: "pineapple" }));
  await server.flock.runUntilIdle();
  return server;
}
