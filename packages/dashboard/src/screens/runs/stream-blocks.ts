/** How long a block is at least, in UTF-16 code units: some screens full. */
const BLOCK = 4_096;

/**
 * A long text in blocks that end at line ends. Text that is added changes only the last block, so that a stream of a
 * hundred thousand words is not laid out anew with each of them. Joined with line ends, the blocks are the text.
 */
export function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let start = 0;
  for (;;) {
    const end = text.indexOf("\n", start + BLOCK);
    if (end < 0) break;
    blocks.push(text.slice(start, end));
    start = end + 1;
  }
  blocks.push(text.slice(start));
  return blocks;
}
