import { artifact, Flock, type FlockOptions } from "flock";
import { z } from "zod";

/** What a guest says. */
export const Idea = artifact("Idea", z.object({ description: z.string() }));
/** What the chef makes of it. */
export const Pizza = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));

/** A flock with one agent, which streams a sentence and publishes a pizza for each idea; it fails on a pineapple. */
export function pizzeria(options: FlockOptions = {}): Flock {
  const flock = new Flock(options);
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
