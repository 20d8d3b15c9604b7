import type { Work } from "./program.ts";

let steps = 0;
let sum = 0;

/** All that an agent does, in Flock as in its peers: one more than it was given. */
export function step(n: number): number {
  steps += 1;
  sum += n;
  return n + 1;
}

/** What `step` has to see in each workflow: how often it is called, and the sum of what it is given. */
export interface Expected {
  readonly steps: number;
  readonly sum: number;
}

/** Workflows, each of which is looked at: a side that has not done its work has not been fast. */
export function checked(work: Work, each: Expected): Work {
  return async (workflows) => {
    steps = sum = 0;
    await work(workflows);
    const wanted = { steps: workflows * each.steps, sum: workflows * each.sum };
    if (steps !== wanted.steps || sum !== wanted.sum)
      throw new Error(
        `${workflows} workflows made ${steps} steps with a sum of ${sum}, not ${wanted.steps} with ${wanted.sum}`,
      );
  };
}

/** One agent after the other, each with what the one before has made of 0. */
export function chainOf(agents: number): Expected {
  return { steps: agents, sum: (agents * (agents - 1)) / 2 };
}

/** Where a fan-out begins: every agent is given this. */
export const START = 1;

export function fanOutOf(agents: number): Expected {
  return { steps: agents, sum: agents * START };
}

/** How many workflows go on at the same time; a fan-out has so many runs of its own that one will do. */
export const CHAINS_AT_ONCE = 10;
export const FAN_OUTS_AT_ONCE = 1;
