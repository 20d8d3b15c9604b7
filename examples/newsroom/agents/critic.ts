import { artifact, type Flock, type PayloadOf, type RunContext } from "flock-ts";
import { z } from "zod";
import { Objection, Review, Verdict } from "../artifacts.ts";

/** Minimum number of suggestions that help an author. */
const ENOUGH = 4;
const MOST_ROUNDS = 2;

/** Returns what a review lacks; nothing after its second round. */
export function missingIn({ round, suggestions }: Pick<PayloadOf<typeof Review>, "round" | "suggestions">): string[] {
  if (round >= MOST_ROUNDS || suggestions.length >= ENOUGH) return [];
  const few = suggestions.length === 1 ? "one suggestion is" : `${suggestions.length} suggestions are`;
  return [`${few} too few, say what to check and what to change`];
}

/** A model's judgement of a review. It is not published: the critic converts it to an objection or a verdict. */
const Judgement = artifact(
  "Judgement",
  z.object({
    missing: z.array(z.string()).max(3).describe("What the review lacks, a sentence each; empty when it is of use."),
  }),
);

/** Returns what a review lacks by a model's judgement; nothing after its second round. */
async function judged({ round, summary, strengths, suggestions }: PayloadOf<typeof Review>, context: RunContext) {
  if (round >= MOST_ROUNDS) return [];
  // Loaded on demand, because the newsroom also works without a model.
  const { ask } = await import("flock-ts/engines/ai");
  const { payload } = await ask(context, Judgement, {
    description: "Judges whether a review of an article is of any use to its author",
    instructions:
      "Object when the suggestions are too few, too vague, or do not fit the summary. Otherwise say nothing.",
    input: JSON.stringify({ summary, strengths, suggestions }, null, 2),
  });
  return payload.missing;
}

export function critic(flock: Flock): void {
  flock
    .agent("critic")
    .description("Sends a thin review back once, and gives the verdict")
    .consumes(Review)
    .publishes(Objection, Verdict)
    .run(async ({ Review: review }, ctx) => {
      const missing = ctx.model ? await judged(review, ctx) : missingIn(review);
      if (missing.length > 0) {
        ctx.stream(`Not yet: ${missing.join("; ")}.\n`);
        return Objection({ review, missing });
      }
      ctx.stream(`Fine after ${review.round === 1 ? "one round" : `${review.round} rounds`}.\n`);
      return Verdict({
        title: review.outline.headings[0]?.text ?? "The article",
        rounds: review.round,
        summary: review.summary,
        suggestions: review.suggestions,
      });
    });
}
