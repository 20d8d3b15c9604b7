import type { Flock, PayloadOf } from "flock";
import { Objection, Review, Verdict } from "../artifacts.ts";

/** Fewer suggestions than this are no help to an author. */
const ENOUGH = 4;
const MOST_ROUNDS = 2;

/** What a review lacks; nothing once it has had its second round. */
export function missingIn({ round, suggestions }: Pick<PayloadOf<typeof Review>, "round" | "suggestions">): string[] {
  if (round >= MOST_ROUNDS || suggestions.length >= ENOUGH) return [];
  const few = suggestions.length === 1 ? "one suggestion is" : `${suggestions.length} suggestions are`;
  return [`${few} too few, say what to check and what to change`];
}

export function critic(flock: Flock): void {
  flock
    .agent("critic")
    .description("Sends a thin review back once, and gives the verdict")
    .consumes(Review)
    .publishes(Objection, Verdict)
    .run(({ Review: review }, ctx) => {
      const missing = missingIn(review);
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
