import type { StreamState } from "@flock-ts/protocol";

/** The length of a block, in UTF-16 code units: a few screens. */
const BLOCK = 4_096;
/** The largest number of matches. */
const MOST_FOUND = 1_000;

/** A match in one of several streams, in the order on the screen. */
export function findInStreams(painters: readonly StreamPainter[], text: string): Range[] {
  return painters.flatMap((painter) => painter.find(text)).slice(0, MOST_FOUND);
}

/**
 * Paints a stream into an element without React. New text is appended to the last text node, so that thousands of
 * chunks per second only lay out the last lines, and a selection is kept.
 */
export class StreamPainter {
  readonly #box: HTMLElement;
  /** UTF-16 code units of the stream that were painted, including removed ones. */
  #painted = 0;
  #runId: string | undefined;
  #last: Text | undefined;

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  /** Paints the current text of a run's stream. Returns whether anything changed. */
  paint(runId: string, stream: StreamState | undefined): boolean {
    const text = stream?.text ?? "";
    const length = stream?.length ?? 0;
    const added = length - this.#painted;
    if (runId === this.#runId && added === 0) return false;
    // Another run, an earlier seq, or a gap: the painted text is not a prefix of the new one.
    if (runId !== this.#runId || added < 0 || added > text.length) {
      this.#box.replaceChildren();
      this.#last = undefined;
      this.#runId = runId;
      this.#append(text);
    } else {
      this.#append(text.slice(text.length - added));
    }
    this.#painted = length;
    return true;
  }

  /** Finds a text in the painted text, ignoring case. */
  find(text: string): Range[] {
    const found: Range[] = [];
    if (text === "") return found;
    const wanted = text.toLowerCase();
    for (const block of this.#box.children) {
      const node = block.firstChild;
      if (!(node instanceof Text)) continue;
      const content = node.data.toLowerCase();
      for (let at = content.indexOf(wanted); at >= 0; at = content.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, Math.min(node.length, at + wanted.length));
        found.push(range);
        if (found.length >= MOST_FOUND) return found;
      }
    }
    return found;
  }

  #append(text: string): void {
    let rest = text;
    while (rest !== "") {
      if (this.#last && this.#last.length < BLOCK) {
        // A block ends with a line. Elsewhere it would add a line break.
        const end = rest.indexOf("\n", Math.max(0, BLOCK - this.#last.length));
        this.#last.appendData(end < 0 ? rest : rest.slice(0, end));
        rest = end < 0 ? "" : rest.slice(end + 1);
        if (end >= 0) this.#begin();
      } else if (this.#last) {
        const end = rest.indexOf("\n");
        this.#last.appendData(end < 0 ? rest : rest.slice(0, end));
        rest = end < 0 ? "" : rest.slice(end + 1);
        if (end >= 0) this.#begin();
      } else {
        this.#begin();
      }
    }
  }

  #begin(): void {
    const block = document.createElement("div");
    block.className = "stream-block";
    this.#last = document.createTextNode("");
    block.append(this.#last);
    this.#box.append(block);
  }
}
