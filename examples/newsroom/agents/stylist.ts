import type { Flock } from "flock-ts";
import { syllable } from "syllable";
import { Article, Style } from "../artifacts.ts";
import { sentencesOf, wordsOf } from "../sentences.ts";

/** Sentences with more words than this are reported as long. */
const LONG = 30;
const PASSIVE =
  /\b(?:am|is|are|was|were|be|been|being)\s+(?:\w+ly\s+)?(?:\w+(?:ed|en)|built|held|kept|known|led|made|paid|read|seen|sent|set|shown|sold|taught|told|won)\b/i;
/** Adjectives that look like participles. */
const NOT_PASSIVE =
  /\b(?:is|are|was|were|be|been|being)\s+(?:indeed|often|even|then|open|seven|ten|golden|wooden|red|need)\b/i;

/** Computes Flesch's reading ease (1948), and finds long sentences and the passive voice. */
export function styleOf(text: string) {
  const sentences = sentencesOf(text);
  const words = sentences.flatMap(wordsOf);
  const syllables = words.reduce((sum, word) => sum + Math.max(1, syllable(word)), 0);
  const ease =
    words.length === 0 ? 0 : 206.835 - 1.015 * (words.length / sentences.length) - 84.6 * (syllables / words.length);
  return {
    readingEase: Math.round(ease * 10) / 10,
    longSentences: sentences.filter((sentence) => wordsOf(sentence).length > LONG),
    passiveSentences: sentences.filter((sentence) => PASSIVE.test(sentence) && !NOT_PASSIVE.test(sentence)),
  };
}

export function stylist(flock: Flock): void {
  flock
    .agent("stylist")
    .description("Scores how easy the text reads, and finds long and passive sentences")
    .consumes(Article)
    .publishes(Style)
    .run(({ Article: article }, ctx) => {
      const style = styleOf(article.text);
      ctx.stream(`Reading ease ${style.readingEase} (60 is plain English).\n`);
      ctx.stream(`${style.longSentences.length} long and ${style.passiveSentences.length} passive sentences.\n`);
      return Style(style);
    });
}
