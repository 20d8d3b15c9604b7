import { z } from "zod";
import type { Draft } from "../blackboard/artifact-type.ts";
import { checkOptions } from "../core/errors.ts";
import type { RunContext } from "./run-context.ts";
/** Tells how good a candidate is by what would be published of it; a higher number is better. */
export type Score<Out = Draft> = (drafts: readonly Out[], context: RunContext) => number | Promise<number>;

/** How many candidates each run has, and what tells the best of them. */
export interface BestOf {
  readonly count: number;
  readonly score: Score;
}

/** Each costs as much as a run: more than this is a slip of the pen. */
const MAX_CANDIDATES = 100;

const bestOfSchema = z.object({
  count: z.int().min(1).max(MAX_CANDIDATES),
  score: z.custom<Score>((value) => typeof value === "function", "must be a function"),
});

/** @throws FlockError `invalid_options`. */
export function checkBestOf(agent: string, count: number, score: Score): BestOf {
  return checkOptions(`agent ${agent}: bestOf`, bestOfSchema, { count, score });
}
