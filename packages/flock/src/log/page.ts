import { type EventFacts, type FlockEvent, factsOf } from "@flock-ts/protocol";
import { frameSize, textsOf, writeTextFrame } from "./frame.ts";
import type { Batch } from "./log-buffer.ts";
import { type Scope, testOf } from "./scope.ts";
import { seqOf } from "./seq-of.ts";
import type { LogRange } from "./source.ts";

/** A stretch of the stored log in memory, as frames that are ready to send: what the buffer is for newer events. */
export class Page {
  /** It covers these seqs, both included. */
  readonly first: number;
  readonly last: number;
  readonly #frames: Buffer;
  readonly #seqs: number[] = [];
  /** Where each frame ends. */
  readonly #ends: number[] = [];
  /** Made when somebody filters: to parse every event takes longer than all the rest. */
  #facts: readonly EventFacts[] | undefined;

  constructor({ first, last, lines }: LogRange) {
    this.first = first;
    this.last = last;
    const texts = lines.split("\n");
    // Its own memory, not a slice of Node's pool: a slow reader then holds this page and nothing else.
    this.#frames = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + frameSize(text), 0));
    let end = 0;
    for (const text of texts) {
      end = writeTextFrame(this.#frames, end, text);
      this.#seqs.push(seqOf(text));
      this.#ends.push(end);
    }
  }

  /** Reads on after `after`, up to `until`, at most about `maxBytes`, but at least one event. */
  read(after: number, until: number, scope: Scope | undefined, maxBytes: number): Batch {
    return scope ? this.#readMatching(after, until, scope, maxBytes) : this.#readAll(after, until, maxBytes);
  }

  #readAll(after: number, until: number, maxBytes: number): Batch {
    const from = this.#indexAfter(after);
    const start = this.#startOf(from);
    let to = from;
    while (to < this.#seqs.length && (this.#seqs[to] as number) <= until) {
      const isTooMuch = to > from && (this.#ends[to] as number) - start > maxBytes;
      if (isTooMuch) return { frames: this.#scope(start, to), events: to - from, seq: this.#seqs[to - 1] as number };
      to += 1;
    }
    return { frames: this.#scope(start, to), events: to - from, seq: Math.min(until, this.last) };
  }

  #readMatching(after: number, until: number, scope: Scope, maxBytes: number): Batch {
    const belongs = testOf(scope);
    const pieces: Buffer[] = [];
    let bytes = 0;
    let seq = after;
    for (let i = this.#indexAfter(after); i < this.#seqs.length && (this.#seqs[i] as number) <= until; i++) {
      if (belongs(this.#factsOf(i))) {
        const piece = this.#scope(this.#startOf(i), i + 1);
        if (pieces.length > 0 && bytes + piece.length > maxBytes)
          return { frames: Buffer.concat(pieces), events: pieces.length, seq };
        bytes += piece.length;
        pieces.push(piece);
      }
      seq = this.#seqs[i] as number;
    }
    return { frames: Buffer.concat(pieces), events: pieces.length, seq: Math.min(until, this.last) };
  }

  /** The seq before the newest `count` matching events up to `until`, or before all of the page; and how many are missing. */
  beforeNewest(count: number, until: number, scope: Scope | undefined): { after: number; missing: number } {
    const belongs = scope && testOf(scope);
    let missing = count;
    for (let i = this.#seqs.length - 1; i >= 0 && missing > 0; i--) {
      const seq = this.#seqs[i] as number;
      if (seq > until || (belongs && !belongs(this.#factsOf(i)))) continue;
      missing -= 1;
      // Right before it, not where the page begins: another page of the same stretch may not be compacted yet, and have more.
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

  /** The frames from a byte on, up to the event `to`, which is not among them. */
  #scope(start: number, to: number): Buffer {
    return this.#frames.subarray(start, this.#startOf(to));
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
