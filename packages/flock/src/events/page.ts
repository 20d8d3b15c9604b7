import { type EventFacts, type Filter, type FlockEvent, factsOf, matches } from "@flock/protocol";
import { frameSize, writeTextFrame } from "./frame.ts";
import type { LogStretch } from "./stored-log.ts";
import type { Batch } from "./tail.ts";

/** A stretch of the stored log in memory, as frames that are ready to send: what the tail is for newer events. */
export class Page {
  /** It covers these seqs, both included. */
  readonly first: number;
  readonly last: number;
  readonly #frames: Buffer;
  readonly #seqs: number[] = [];
  /** Where each frame ends. */
  readonly #ends: number[] = [];
  readonly #facts: EventFacts[] = [];

  constructor({ first, last, lines }: LogStretch) {
    this.first = first;
    this.last = last;
    const texts = lines.split("\n");
    // Its own memory, not a slice of Node's pool: a slow reader then holds this page and nothing else.
    this.#frames = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + frameSize(text), 0));
    let end = 0;
    for (const text of texts) {
      const event = JSON.parse(text) as FlockEvent;
      end = writeTextFrame(this.#frames, end, text);
      this.#seqs.push(event.seq);
      this.#ends.push(end);
      this.#facts.push(factsOf(event));
    }
  }

  /** Reads on after `after`, up to `until`, at most about `maxBytes`, but at least one event. */
  read(after: number, until: number, filter: Filter | undefined, maxBytes: number): Batch {
    const pieces: Buffer[] = [];
    let bytes = 0;
    let events = 0;
    let seq = after;
    for (let i = this.#indexAfter(after); i < this.#seqs.length && (this.#seqs[i] as number) <= until; i++) {
      const [start, end] = [i === 0 ? 0 : (this.#ends[i - 1] as number), this.#ends[i] as number];
      if (!filter || matches(filter, this.#facts[i] as EventFacts)) {
        if (events > 0 && bytes + end - start > maxBytes) return { frames: join(pieces), events, seq };
        bytes += end - start;
        events += 1;
        pieces.push(this.#frames.subarray(start, end));
      }
      seq = this.#seqs[i] as number;
    }
    return { frames: join(pieces), events, seq: Math.min(until, this.last) };
  }

  /** The seq before the newest `count` matching events up to `until`, or before all of the page; and how many are missing. */
  beforeNewest(count: number, until: number, filter: Filter | undefined): { after: number; missing: number } {
    let missing = count;
    for (let i = this.#seqs.length - 1; i >= 0 && missing > 0; i--) {
      const seq = this.#seqs[i] as number;
      if (seq > until || (filter && !matches(filter, this.#facts[i] as EventFacts))) continue;
      missing -= 1;
      // Right before it, not where the page begins: another page of the same stretch may not be compacted yet, and have more.
      if (missing === 0) return { after: seq - 1, missing };
    }
    return { after: this.first - 1, missing };
  }

  /** The first event beyond `after`. */
  #indexAfter(after: number): number {
    let low = 0;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seqs[middle] as number) <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Neighbours become one view; only what does not lie side by side is copied. */
function join(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  const last = pieces.at(-1);
  if (!first || !last) return Buffer.alloc(0);
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const span = last.byteOffset + last.length - first.byteOffset;
  return bytes === span ? Buffer.from(first.buffer, first.byteOffset, span) : Buffer.concat(pieces);
}
