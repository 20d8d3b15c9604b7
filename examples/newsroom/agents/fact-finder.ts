import nlp from "compromise";
import type { Flock } from "flock-ts";
import { Article, Facts } from "../artifacts.ts";
import { plainText } from "../sentences.ts";

const MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)";
const DATE = new RegExp(
  `\\b(?:(?:\\d{1,2} )?${MONTH}(?: \\d{1,2}(?:st|nd|rd|th)?)?,?(?: \\d{4})?|\\d{4}-\\d{2}-\\d{2}|(?:[Ii]n|[Ss]ince|[Bb]y|[Oo]f|[Uu]ntil|[Ff]rom) (?:1[5-9]|20)\\d{2})\\b`,
  "g",
);
const NUMBER = /[$€£]?\b\d[\d,.]*\d(?:\s?%)?|[$€£]?\b\d\b(?:\s?%)?/g;
const QUOTE = /[“"]([^”"\n]{3,400})[”"]/g;

/** Finds names, numbers, dates and quotes to check. */
export function factsIn(text: string) {
  const plain = plainText(text).replace(/[^\S\n]*\n(?!\s*\n)/g, " ");
  const doc = nlp(plain);
  const dates = unique([...plain.matchAll(DATE)].map(([date]) => date.replace(/^(?:in|since|by|of|until|from) /i, "")));
  return {
    names: unique((doc.topics().out("array") as string[]).map(trimmed)).filter((name) => /^\p{Lu}/u.test(name)),
    numbers: unique([...plain.matchAll(NUMBER)].map(([number]) => number)).filter(
      (number) => !dates.some((date) => date.includes(number)),
    ),
    dates,
    quotes: unique([...plain.matchAll(QUOTE)].map(([, quote = ""]) => quote)),
  };
}

export function factFinder(flock: Flock): void {
  flock
    .agent("fact_finder")
    .description("Finds names, numbers, dates and quotes to check")
    .consumes(Article)
    .publishes(Facts)
    .run(async ({ Article: article }, ctx) => {
      const facts = await ctx.step("tool", "compromise", () => factsIn(article.text));
      for (const [kind, found] of Object.entries(facts)) ctx.stream(`${kind}: ${found.join(", ") || "none"}\n`);
      return Facts(facts);
    });
}

function trimmed(text: string): string {
  return text.replace(/\s+/g, " ").replace(/^[^\p{L}\p{N}$€£]+|[^\p{L}\p{N}%]+$|['’]s$/gu, "");
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list.map((entry) => entry.trim()).filter((entry) => entry !== ""))];
}
