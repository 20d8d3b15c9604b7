import { z } from "zod";
import type { Draft } from "../blackboard/artifact-type.ts";
import { checkOptions } from "../core/errors.ts";
import type { RunContext } from "./run-context.ts";
/** Scores a candidate by the drafts it would publish; a higher number is better. */
export type Score<Out = Draft> = (drafts: readonly Out[], context: RunContext) => number | Promise<number>;

/** Number of candidates per run, and the function that scores them. */
export interface BestOf {
  readonly count: number;
  readonly score: Score;
}

/** Each candidate costs as much as a run, so a higher number is most likely a mistake. */
const MAX_CANDIDATES = 100;

const bestOfSchema = z.object({
  count: z.int().min(1).max(MAX_CANDIDATES),
  score: z.custom<Score>((value) => typeof value === "function", "must be a function"),
});

/**
 * Validates the arguments of `bestOf`.
 * @throws FlockError `invalid_options`.
 */
export function checkBestOf(agent: string, count: number, score: Score): BestOf {
  return checkOptions(`\`bestOf\` of agent \`${agent}\``, bestOfSchema, { count, score });
}
