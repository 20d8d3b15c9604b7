import { type EventFacts, type FlockEvent, factsOf } from "@flock-ts/protocol";
import { frameSize, textsOf, writeTextFrame } from "./frame.ts";
import type { Batch } from "./log-buffer.ts";
import { type Scope, testOf } from "./scope.ts";
import { seqOf } from "./seq-of.ts";
import type { LogRange } from "./source.ts";

/** A range of the stored log in memory, as frames that are ready to send: the counterpart of the log buffer for older events. */
export class Page {
  /** The page covers these seqs, both included. */
  readonly first: number;
  readonly last: number;
  readonly #frames: Buffer;
  readonly #seqs: number[] = [];
  /** The end of each frame. */
  readonly #ends: number[] = [];
  /** Created for the first read with a filter: parsing every event takes longer than everything else. */
  #facts: readonly EventFacts[] | undefined;

  constructor({ first, last, lines }: LogRange) {
    this.first = first;
    this.last = last;
    const texts = lines.split("\n");
    // Not from Node's buffer pool: a slow reader then keeps only this page in memory.
    this.#frames = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + frameSize(text), 0));
    let end = 0;
    for (const text of texts) {
      end = writeTextFrame(this.#frames, end, text);
      this.#seqs.push(seqOf(text));
      this.#ends.push(end);
    }
  }

  /** Reads events after `after`, up to `until`: about `maxBytes` at most, but at least one event. */
  read(after: number, until: number, scope: Scope | undefined, maxBytes: number): Batch {
    return scope ? this.#readMatching(after, until, scope, maxBytes) : this.#readAll(after, until, maxBytes);
  }

  #readAll(after: number, until: number, maxBytes: number): Batch {
    const from = this.#indexAfter(after);
    const start = this.#startOf(from);
    let to = from;
    while (to < this.#seqs.length && (this.#seqs[to] as number) <= until) {
      const isTooMuch = to > from && (this.#ends[to] as number) - start > maxBytes;
      if (isTooMuch)
        return { frames: this.#frameRange(start, to), events: to - from, seq: this.#seqs[to - 1] as number };
      to += 1;
    }
    return { frames: this.#frameRange(start, to), events: to - from, seq: Math.min(until, this.last) };
  }

  #readMatching(after: number, until: number, scope: Scope, maxBytes: number): Batch {
    const belongs = testOf(scope);
    const pieces: Buffer[] = [];
    let bytes = 0;
    let seq = after;
    for (let i = this.#indexAfter(after); i < this.#seqs.length && (this.#seqs[i] as number) <= until; i++) {
      if (belongs(this.#factsOf(i))) {
        const piece = this.#frameRange(this.#startOf(i), i + 1);
        if (pieces.length > 0 && bytes + piece.length > maxBytes)
          return { frames: Buffer.concat(pieces), events: pieces.length, seq };
        bytes += piece.length;
        pieces.push(piece);
      }
      seq = this.#seqs[i] as number;
    }
    return { frames: Buffer.concat(pieces), events: pieces.length, seq: Math.min(until, this.last) };
  }

  /** Returns the seq before the newest `count` matching events up to `until`, and how many of them the page does not hold. */
  beforeNewest(count: number, until: number, scope: Scope | undefined): { after: number; missing: number } {
    const belongs = scope && testOf(scope);
    let missing = count;
    for (let i = this.#seqs.length - 1; i >= 0 && missing > 0; i--) {
      const seq = this.#seqs[i] as number;
      if (seq > until || (belongs && !belongs(this.#factsOf(i)))) continue;
      missing -= 1;
      // Directly before it, not at the start of the page: another page of the same range may not be compacted yet.
      if (missing === 0) return { after: seq - 1, missing };
    }
    return { after: this.first - 1, missing };
  }

  #factsOf(index: number): EventFacts {
    this.#facts ??= [...textsOf(this.#frames)].map((text) => factsOf(JSON.parse(text) as FlockEvent));
    return this.#facts[index] as EventFacts;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  /** Returns the frames from byte `start` up to the event `to`, exclusive. */
  #frameRange(start: number, to: number): Buffer {
    return this.#frames.subarray(start, this.#startOf(to));
  }

  /** Returns the index of the first event after `after`. */
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
