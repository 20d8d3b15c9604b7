import type { StreamState } from "@flock-ts/protocol";

/** How long a block is before another one begins, in UTF-16 code units: some screens full. */
const BLOCK = 4_096;
/** Places that are found at most: nobody steps through more. */
const MOST_FOUND = 1_000;

/** Where a text stands in several streams, in the order in which they stand on the screen. */
export function findInStreams(painters: readonly StreamPainter[], text: string): Range[] {
  return painters.flatMap((painter) => painter.find(text)).slice(0, MOST_FOUND);
}

/**
 * Paints a stream into an element without React: what is added is appended to the last of its text nodes, so that
 * thousands of pieces a second lay out nothing but the last lines, and a selection stays.
 */
export class StreamPainter {
  readonly #box: HTMLElement;
  /** UTF-16 code units of the stream that have been painted, those that were cut off before included. */
  #painted = 0;
  #runId: string | undefined;
  #last: Text | undefined;

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  /** Paints a run's stream as it stands. Returns whether anything has changed. */
  paint(runId: string, stream: StreamState | undefined): boolean {
    const text = stream?.text ?? "";
    const length = stream?.length ?? 0;
    const added = length - this.#painted;
    if (runId === this.#runId && added === 0) return false;
    // Another run, an earlier place in time, or a hole: what is there is not the beginning of what shall be.
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

  /** Where a text stands in what is painted, whatever its letters' case. */
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
        // A block ends at the end of a line: elsewhere it would make one.
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
