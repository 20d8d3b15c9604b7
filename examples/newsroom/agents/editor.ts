import type { Flock, PayloadOf } from "flock-ts";
import { Facts, Objection, Outline, Review, Style, Summary } from "../artifacts.ts";

interface Findings {
  readonly outline: PayloadOf<typeof Outline>;
  readonly facts: PayloadOf<typeof Facts>;
  readonly style: PayloadOf<typeof Style>;
}

/** Returns the most important remarks, one sentence for each finding. */
export function firstThoughts({ outline, facts, style }: Findings) {
  const strengths: string[] = [];
  const suggestions: string[] = [];
  (style.readingEase >= 50 ? strengths : suggestions).push(
    style.readingEase >= 50
      ? `It reads easily (${style.readingEase}).`
      : `It reads hard (${style.readingEase}): shorter words and sentences would help.`,
  );
  if (facts.quotes.length > 0) strengths.push(`It lets people speak (${facts.quotes.length} quotes).`);
  if (style.longSentences.length > 0) {
    suggestions.push(`Cut this long sentence in two: “${shorten(style.longSentences[0] as string)}”`);
  }
  if (outline.words > 300 && outline.headings.length < 2) suggestions.push("Headings would help to find one's way.");
  return { strengths, suggestions };
}

/** Returns suggestions for what the critic missed. */
export function secondThoughts({ outline, facts, style }: Findings): string[] {
  return [
    ...(style.passiveSentences.length > 0
      ? [`Say who does it: “${shorten(style.passiveSentences[0] as string)}”`]
      : ["The voice is active throughout: keep it so."]),
    facts.numbers.length + facts.dates.length > 0
      ? `Check these figures before it is printed: ${[...facts.numbers, ...facts.dates].slice(0, 5).join(", ")}.`
      : "It has no figure or date: one would make it concrete.",
    facts.names.length > 0
      ? `Check the spelling of ${facts.names.slice(0, 4).join(", ")}.`
      : "It names no source: add one.",
    `It takes ${outline.readingMinutes} minutes to read: print this at the top.`,
  ];
}

export function editor(flock: Flock): void {
  flock
    .agent("editor")
    .description("Waits for all four findings and writes the review; rewrites it when the critic objects")
    .consumes(Outline, Facts, Style, Summary, { join: { by: "correlation" } })
    .consumes(Objection)
    .publishes(Review)
    .run(({ Outline: outline, Facts: facts, Style: style, Summary: summary, Objection: objection }, ctx) => {
      if (objection) {
        const { review, missing } = objection;
        ctx.stream(`The critic is right: ${missing.join("; ")}.\n`);
        return Review({
          ...review,
          round: review.round + 1,
          suggestions: [...review.suggestions, ...secondThoughts(review)],
        });
      }
      const findings = { outline, facts, style };
      const thoughts = firstThoughts(findings);
      for (const line of [...thoughts.strengths, ...thoughts.suggestions]) ctx.stream(`${line}\n`);
      return Review({ round: 1, summary: summary.sentences.join(" "), ...thoughts, ...findings });
    });
}

function shorten(sentence: string): string {
  return sentence.length <= 90 ? sentence : `${sentence.slice(0, 90).trimEnd()}…`;
}
