import type { Flock } from "flock-ts";
import { Article, Outline } from "../artifacts.ts";
import { plainText, sentencesOf, wordsOf } from "../sentences.ts";

/** Reading speed in words per minute, for English prose (Brysbaert 2019). */
const WORDS_PER_MINUTE = 238;

/** Finds headings, text length and reading time. */
export function outline(text: string) {
  const headings = [...text.matchAll(/^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$/gm)].map(([, marks = "", heading = ""]) => ({
    level: marks.length,
    text: heading,
  }));
  const plain = plainText(text);
  const words = wordsOf(plain).length;
  return {
    headings,
    paragraphs: plain.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== "").length,
    sentences: sentencesOf(text).length,
    words,
    readingMinutes: Math.round((words / WORDS_PER_MINUTE) * 10) / 10,
  };
}

export function outliner(flock: Flock): void {
  flock
    .agent("outliner")
    .description("Finds the headings and measures the text")
    .consumes(Article)
    .publishes(Outline)
    .run(({ Article: article }, ctx) => {
      const found = outline(article.text);
      ctx.stream(`${found.words} words in ${found.sentences} sentences, ${found.readingMinutes} minutes to read.\n`);
      for (const { level, text } of found.headings) ctx.stream(`${"  ".repeat(level - 1)}${text}\n`);
      return Outline(found);
    });
}
