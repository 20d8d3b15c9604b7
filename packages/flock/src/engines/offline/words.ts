/** Neutral words for generated texts. */
const PLAIN_WORDS =
  "amber basil cedar dune ember fig grove harbour iris juniper kelp lantern maple north olive pebble".split(" ");

/** Common words without a topic. */
const SMALL_WORDS = new Set(
  (
    "about above after again all also and any are because been before being below between both but can could did does " +
    "each few for from further had has have having her here hers him his how into its itself just like more most much " +
    "nor not now off once only other our ours out over own same she should some such than that the their theirs them " +
    "then there these they this those through too under until very was were what when where which while who whom why " +
    "will with would you your yours"
  ).split(" "),
);

/** Maximum number of words to use; more don't improve an answer. */
const MOST_WORDS = 200;

/** Returns the distinct topic words of a text in order, or neutral words if there are none. */
export function wordsOf(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/\p{L}[\p{L}\p{M}'’-]+/gu)) {
    const small = word.toLowerCase();
    if (word.length >= 3 && !SMALL_WORDS.has(small)) found.add(small);
    if (found.size === MOST_WORDS) break;
  }
  return found.size > 0 ? [...found] : PLAIN_WORDS;
}
