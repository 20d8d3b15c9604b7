import type { EventFacts } from "@flock-ts/protocol";
import { FactsList, Kinds } from "./facts-list.ts";
import { frameSize, frameSizeAtMost, writeTextFrame } from "./frame.ts";
import { type Scope, testOf } from "./scope.ts";

/** Large enough that segments seldom divide a batch, small enough that memory is allocated and freed in small steps. */
const SEGMENT_BYTES = 256 * 1024;
/** The measured memory of an event besides its frame: its routing metadata and its slots in two arrays. */
const EVENT_OVERHEAD = 80;

/** A committed event to append. */
export interface BufferedEvent {
  readonly seq: number;
  /** The event as it goes over the wire. */
  readonly json: string;
  readonly facts: EventFacts;
}

/** The result of a read. */
export interface Batch {
  /** Frames, ready to send. All readers share this memory: never write to it. */
  readonly frames: Buffer;
  /** How many frames. */
  readonly events: number;
  /** All events up to this seq have been examined: the next read continues after it. */
  readonly seq: number;
}

/** A block of memory with frames. */
class Segment {
  readonly buffer: Buffer;
  readonly firstSeq: number;
  /** The end of each frame. */
  readonly ends: number[] = [];
  readonly facts: FactsList;
  used = 0;

  constructor(firstSeq: number, capacity: number, kinds: Kinds) {
    this.firstSeq = firstSeq;
    this.facts = new FactsList(kinds);
    // Not from Node's buffer pool: a slow reader then keeps only this segment in memory.
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  get lastSeq(): number {
    return this.firstSeq + this.ends.length - 1;
  }

  get cost(): number {
    return this.buffer.length + this.ends.length * EVENT_OVERHEAD;
  }

  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }
}

const NOTHING = Buffer.alloc(0);

/**
 * The newest part of the log, as WebSocket frames that are ready to send. All readers, live, slow or reconnected, read the
 * same memory. A reader is only a cursor: the last `seq` it has read.
 */
export class LogBuffer {
  readonly #limit: number;
  readonly #segments: Segment[] = [];
  readonly #kinds = new Kinds();
  #head: number;
  #bytes = 0;

  /**
   * @param limit how many bytes to keep, about. The newest segment always stays.
   * @param head the seq before the first event.
   */
  constructor(limit: number, head = 0) {
    this.#limit = limit;
    this.#head = head;
  }

  /** The newest seq. */
  get head(): number {
    return this.#head;
  }

  /** The oldest seq kept; `head + 1` when the buffer is empty. */
  get oldest(): number {
    return this.#segments[0]?.firstSeq ?? this.#head + 1;
  }

  /** Bytes of memory in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends the event after the head. */
  append({ seq, json, facts }: BufferedEvent): void {
    if (seq !== this.#head + 1) throw new RangeError(`Cannot append event ${seq}: the next seq is ${this.#head + 1}.`);
    const segment = this.#segmentFor(seq, json);
    segment.used = writeTextFrame(segment.buffer, segment.used, json);
    segment.ends.push(segment.used);
    segment.facts.push(facts);
    this.#bytes += EVENT_OVERHEAD;
    this.#head = seq;
    while (this.#bytes > this.#limit && this.#segments.length > 1)
      this.#bytes -= (this.#segments.shift() as Segment).cost;
  }

  /**
   * Reads events after `seq`, up to `until`: about `maxBytes` at most, but at least one event of any size. Copies as little
   * as possible. The caller has checked that the events are kept (`seq + 1 >= oldest`).
   * @param maxMs how long the search for events of `scope` may take, in ms. Default: no limit.
   */
  read(
    seq: number,
    until: number,
    scope: Scope | undefined,
    maxBytes: number,
    maxMs = Number.POSITIVE_INFINITY,
  ): Batch {
    const last = Math.min(until, this.#head);
    if (seq >= last) return { frames: NOTHING, events: 0, seq: last };
    return scope ? this.#readMatching(seq, last, scope, maxBytes, maxMs) : this.#readAll(seq, last, maxBytes);
  }

  /** Returns the frames of `seqs`, in order. All must be kept. */
  gather(seqs: readonly number[]): Buffer {
    const pieces: Buffer[] = [];
    let index = this.#indexOf(seqs[0] ?? 0);
    for (let i = 0; i < seqs.length; ) {
      let segment = this.#segments[index] as Segment;
      while (segment.lastSeq < (seqs[i] as number)) segment = this.#segments[++index] as Segment;
      const first = (seqs[i] as number) - segment.firstSeq;
      let end = first;
      // Adjacent frames are one piece.
      while (++i < seqs.length && seqs[i] === segment.firstSeq + end + 1 && end + 1 < segment.ends.length) end += 1;
      pieces.push(segment.buffer.subarray(segment.startOf(first), segment.ends[end]));
    }
    return join(pieces);
  }

  /** Calls `visit` with the routing metadata of each event after `seq`, up to `until`. */
  scan(seq: number, until: number, visit: (facts: EventFacts, seq: number) => void): void {
    for (let index = this.#indexOf(seq + 1); index < this.#segments.length; index++) {
      const { firstSeq, facts } = this.#segments[index] as Segment;
      for (let i = Math.max(0, seq + 1 - firstSeq); i < facts.length; i++) {
        if (firstSeq + i > until) return;
        visit(facts.at(i), firstSeq + i);
      }
    }
  }

  /** Returns the seq before the newest `count` matching events up to `until`, and how many of them the buffer does not hold. */
  beforeNewest(count: number, until: number, scope: Scope | undefined): { after: number; missing: number } {
    let left = count;
    const belongs = scope && testOf(scope);
    for (let index = this.#segments.length - 1; index >= 0; index--) {
      const { firstSeq, facts } = this.#segments[index] as Segment;
      for (let i = Math.min(facts.length - 1, until - firstSeq); i >= 0; i--) {
        if (left === 0) return { after: firstSeq + i, missing: 0 };
        if (!belongs || belongs(facts.at(i))) left -= 1;
      }
    }
    return { after: Math.min(until, this.oldest - 1), missing: left };
  }

  /** Never reads beyond the end of a segment, so that a read without a filter copies nothing. */
  #readAll(seq: number, last: number, maxBytes: number): Batch {
    const segment = this.#segments[this.#indexOf(seq + 1)] as Segment;
    const first = seq + 1 - segment.firstSeq;
    const from = segment.startOf(first);
    let end = Math.min(segment.ends.length, last - segment.firstSeq + 1);
    if ((segment.ends[end - 1] as number) - from > maxBytes) {
      // An event larger than the limit is returned alone.
      end = Math.max(first + 1, fitting(segment.ends, first, end, from + maxBytes));
    }
    const frames = segment.buffer.subarray(from, segment.ends[end - 1]);
    return { frames, events: end - first, seq: segment.firstSeq + end - 1 };
  }

  #readMatching(seq: number, last: number, scope: Scope, maxBytes: number, maxMs: number): Batch {
    const belongs = testOf(scope);
    const deadline = performance.now() + maxMs;
    const found: number[] = [];
    let bytes = 0;
    let examined = 0;
    let at = seq;
    for (let index = this.#indexOf(seq + 1); at < last; index++) {
      const segment = this.#segments[index] as Segment;
      for (let i = at + 1 - segment.firstSeq; i < segment.ends.length && at < last; i++) {
        if (belongs(segment.facts.at(i))) {
          const size = (segment.ends[i] as number) - segment.startOf(i);
          if (bytes > 0 && bytes + size > maxBytes)
            return { frames: this.gather(found), events: found.length, seq: at };
          bytes += size;
          found.push(segment.firstSeq + i);
        }
        at = segment.firstSeq + i;
        if (++examined % EVENTS_PER_CLOCK_CHECK === 0 && performance.now() >= deadline)
          return { frames: this.gather(found), events: found.length, seq: at };
      }
    }
    return { frames: this.gather(found), events: found.length, seq: at };
  }

  #segmentFor(seq: number, json: string): Segment {
    const newest = this.#segments.at(-1);
    const room = newest ? newest.buffer.length - newest.used : 0;
    if (newest && room >= frameSizeAtMost(json)) return newest;
    const size = frameSize(json);
    if (newest && room >= size) return newest;
    // A large event gets a segment of its exact size.
    const segment = new Segment(seq, Math.max(size, size > SEGMENT_BYTES / 2 ? size : SEGMENT_BYTES), this.#kinds);
    this.#segments.push(segment);
    this.#bytes += segment.buffer.length;
    return segment;
  }

  /** Returns the index of the segment that holds `seq`, by binary search: a full buffer has hundreds. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle] as Segment).firstSeq <= seq) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}

/** How many events a read examines between two checks of the clock: a few microseconds of work. */
const EVENTS_PER_CLOCK_CHECK = 256;

/** Returns the first index in `low..high` whose end is greater than `limit`. */
function fitting(ends: readonly number[], low: number, high: number, limit: number): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ends[middle] as number) <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

function join(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : pieces.length === 0 ? NOTHING : Buffer.concat(pieces);
}
