/** The seq of an event comes before any text of users, and no type contains a quote. */
const SEQ = /"seq":(\d+)/;

/**
 * Returns the seq of an event without parsing its JSON.
 * @throws SyntaxError when it has none, as in a damaged file.
 */
export function seqOf(json: string): number {
  const [, seq] = SEQ.exec(json) ?? [];
  if (seq === undefined) throw new SyntaxError(`Not an event: ${json.slice(0, 100)}`);
  return Number(seq);
}
