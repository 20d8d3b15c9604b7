/** An event's seq stands before any text of its own, and no type has a quote in it. */
const SEQ = /"seq":(\d+)/;

/** The seq of an event in its JSON, without parsing all of it. Throws where there is none: in a damaged file, say. */
export function seqOf(json: string): number {
  const [, seq] = SEQ.exec(json) ?? [];
  if (seq === undefined) throw new SyntaxError(`this is no event: ${json.slice(0, 100)}`);
  return Number(seq);
}
