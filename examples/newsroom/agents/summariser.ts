import { setTimeout as pause } from "node:timers/promises";
import type { Flock } from "flock-ts";
import { Article, Summary } from "../artifacts.ts";
import { sentencesOf, wordsOf } from "../sentences.ts";

const CHOSEN = 4;
/** Maximum number of sentences that are compared, because the work is quadratic. */
const COMPARED = 400;
/** Damping factor, as in PageRank. */
const DAMPING = 0.85;
const ROUNDS = 25;

/** Ranks sentences by similarity to the others: TextRank (Mihalcea and Tarau, 2004) with cosine similarity of words. */
export function ranked(text: string): { sentence: string; place: number }[] {
  const sentences = sentencesOf(text).slice(0, COMPARED);
  const bags = sentences.map((sentence) => new Set(wordsOf(sentence.toLowerCase()).filter((word) => word.length > 3)));
  const alike = bags.map((a, i) => bags.map((b, j) => (i === j ? 0 : likeness(a, b))));
  const given = alike.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  let scores = sentences.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    scores = scores.map((_, i) => {
      let received = 0;
      for (let j = 0; j < scores.length; j++) {
        const weight = alike[j]?.[i] ?? 0;
        if (weight > 0) received += (weight / (given[j] as number)) * (scores[j] as number);
      }
      return 1 - DAMPING + DAMPING * received;
    });
  }
  return sentences
    .map((sentence, place) => ({ sentence, place, score: scores[place] as number }))
    .sort((a, b) => b.score - a.score);
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = a.intersection(b).size;
  return shared === 0 ? 0 : shared / Math.sqrt(a.size * b.size);
}

/**
 * @param pauseMs delay between two chunks of the stream, for people who watch.
 * @param hasModel whether the flock's model chooses the sentences.
 */
export function summariser(flock: Flock, pauseMs: number, hasModel: boolean): void {
  const agent = flock
    .agent("summariser")
    .description("Chooses the sentences that say most, and streams them as it ranks them")
    .consumes(Article)
    .publishes(Summary);
  if (hasModel) {
    agent.instructions(`Choose ${CHOSEN} sentences of the article at most, word for word, in the order of the text.`);
    return;
  }
  agent.run(async function* ({ Article: article }, { step }) {
    const chosen = (await step("tool", "textrank", () => ranked(article.text))).slice(0, CHOSEN);
    for (const [rank, { sentence }] of chosen.entries()) {
      yield `${rank + 1}. `;
      for (const word of sentence.split(/(?<=\s)/)) {
        yield word;
        if (pauseMs > 0) await pause(pauseMs);
      }
      yield "\n";
    }
    const inOrder = chosen.toSorted((a, b) => a.place - b.place);
    return Summary({ sentences: inOrder.map(({ sentence }) => sentence) });
  });
}
