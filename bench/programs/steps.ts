import type { Work } from "./program.ts";

let steps = 0;
let sum = 0;

/** The work of an agent in Flock and its peers: adds one to its input. */
export function step(n: number): number {
  steps += 1;
  sum += n;
  return n + 1;
}

/** Expected calls of `step` per workflow, and the expected sum of its inputs. */
export interface Expected {
  readonly steps: number;
  readonly sum: number;
}

/** Checks each workflow of some work, because skipped work would look fast. */
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

/** Expectation for agents in sequence, starting with 0. */
export function chainOf(agents: number): Expected {
  return { steps: agents, sum: (agents * (agents - 1)) / 2 };
}

/** Input of a fan-out, passed to every agent. */
export const START = 1;

export function fanOutOf(agents: number): Expected {
  return { steps: agents, sum: agents * START };
}

/** Number of concurrent workflows. One is enough for a fan-out, which has many runs. */
export const CHAINS_AT_ONCE = 10;
export const FAN_OUTS_AT_ONCE = 1;
