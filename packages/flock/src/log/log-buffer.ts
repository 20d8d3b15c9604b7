import type { EventFacts } from "@flock-ts/protocol";
import { FactsList, Kinds } from "./facts-list.ts";
import { frameSize, frameSizeAtMost, writeTextFrame } from "./frame.ts";
import { type Scope, testOf } from "./scope.ts";

/** Big enough that a batch is seldom cut, small enough that memory comes and goes in small steps. */
const SEGMENT_BYTES = 256 * 1024;
/** What an event costs beside its frame: its facts and its place in two arrays, as measured. */
const EVENT_OVERHEAD = 80;

/** A committed event as the buffer takes it. */
export interface BufferedEvent {
  readonly seq: number;
  /** The event as it goes over the wire. */
  readonly json: string;
  readonly facts: EventFacts;
}

/** What a read has found. */
export interface Batch {
  /** Frames, ready to send; scopes of memory that all readers share, so never to be written to. */
  readonly frames: Buffer;
  /** How many frames that is. */
  readonly events: number;
  /** Everything up to here has been looked at: the next read goes on from here. */
  readonly seq: number;
}

/** A stretch of memory full of frames. */
class Segment {
  readonly buffer: Buffer;
  readonly firstSeq: number;
  /** Where each frame ends. */
  readonly ends: number[] = [];
  readonly facts: FactsList;
  used = 0;

  constructor(firstSeq: number, capacity: number, kinds: Kinds) {
    this.firstSeq = firstSeq;
    this.facts = new FactsList(kinds);
    // Its own memory, not a slice of Node's pool: a slow reader then holds this segment and nothing else.
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
 * The newest part of the log, as WebSocket frames that are ready to send. Everyone who reads, live, slow or
 * back from a sleep, reads the same memory; a reader is nothing but the `seq` it has come to.
 */
export class LogBuffer {
  readonly #limit: number;
  readonly #segments: Segment[] = [];
  readonly #kinds = new Kinds();
  #head: number;
  #bytes = 0;

  /** Keeps at most about `limit` bytes (the newest segment always stays), and begins after `head`. */
  constructor(limit: number, head = 0) {
    this.#limit = limit;
    this.#head = head;
  }

  /** The newest seq. */
  get head(): number {
    return this.#head;
  }

  /** The oldest seq that is kept; `head + 1` when none is. */
  get oldest(): number {
    return this.#segments[0]?.firstSeq ?? this.#head + 1;
  }

  /** Bytes of memory in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the event that follows on the head. */
  append({ seq, json, facts }: BufferedEvent): void {
    if (seq !== this.#head + 1) throw new RangeError(`event ${seq} does not follow on ${this.#head}`);
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
   * Reads on after `seq`, up to `until`, at most about `maxBytes` (but at least one event, however large), and as far
   * as it goes without copying.
   * The caller has checked that nothing it wants has been dropped (`seq + 1 >= oldest`).
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

  /** The frames of some seqs, in order. All must be kept. */
  gather(seqs: readonly number[]): Buffer {
    const pieces: Buffer[] = [];
    let place = this.#placeOf(seqs[0] ?? 0);
    for (let i = 0; i < seqs.length; ) {
      let segment = this.#segments[place] as Segment;
      while (segment.lastSeq < (seqs[i] as number)) segment = this.#segments[++place] as Segment;
      const first = (seqs[i] as number) - segment.firstSeq;
      let end = first;
      // Neighbours are one piece.
      while (++i < seqs.length && seqs[i] === segment.firstSeq + end + 1 && end + 1 < segment.ends.length) end += 1;
      pieces.push(segment.buffer.subarray(segment.startOf(first), segment.ends[end]));
    }
    return join(pieces);
  }

  /** Calls `visit` with the facts of each event after `seq`, up to `until`. */
  scan(seq: number, until: number, visit: (facts: EventFacts, seq: number) => void): void {
    for (let place = this.#placeOf(seq + 1); place < this.#segments.length; place++) {
      const { firstSeq, facts } = this.#segments[place] as Segment;
      for (let i = Math.max(0, seq + 1 - firstSeq); i < facts.length; i++) {
        if (firstSeq + i > until) return;
        visit(facts.at(i), firstSeq + i);
      }
    }
  }

  /** The seq after which exactly the newest `count` matching events come, or as many as there are; and how many are missing. */
  beforeNewest(count: number, until: number, scope: Scope | undefined): { after: number; missing: number } {
    let left = count;
    const belongs = scope && testOf(scope);
    for (let place = this.#segments.length - 1; place >= 0; place--) {
      const { firstSeq, facts } = this.#segments[place] as Segment;
      for (let i = Math.min(facts.length - 1, until - firstSeq); i >= 0; i--) {
        if (left === 0) return { after: firstSeq + i, missing: 0 };
        if (!belongs || belongs(facts.at(i))) left -= 1;
      }
    }
    return { after: Math.min(until, this.oldest - 1), missing: left };
  }

  /** Never across a seam between segments: so a read without a filter copies nothing. */
  #readAll(seq: number, last: number, maxBytes: number): Batch {
    const segment = this.#segments[this.#placeOf(seq + 1)] as Segment;
    const first = seq + 1 - segment.firstSeq;
    const from = segment.startOf(first);
    let end = Math.min(segment.ends.length, last - segment.firstSeq + 1);
    if ((segment.ends[end - 1] as number) - from > maxBytes) {
      // When not even one fits, it goes alone.
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
    let looked = 0;
    let at = seq;
    for (let place = this.#placeOf(seq + 1); at < last; place++) {
      const segment = this.#segments[place] as Segment;
      for (let i = at + 1 - segment.firstSeq; i < segment.ends.length && at < last; i++) {
        if (belongs(segment.facts.at(i))) {
          const size = (segment.ends[i] as number) - segment.startOf(i);
          if (bytes > 0 && bytes + size > maxBytes)
            return { frames: this.gather(found), events: found.length, seq: at };
          bytes += size;
          found.push(segment.firstSeq + i);
        }
        at = segment.firstSeq + i;
        if (++looked % EVENTS_PER_LOOK_AT_CLOCK === 0 && performance.now() >= deadline)
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
    // An event larger than a segment gets one that fits exactly.
    const segment = new Segment(seq, Math.max(size, size > SEGMENT_BYTES / 2 ? size : SEGMENT_BYTES), this.#kinds);
    this.#segments.push(segment);
    this.#bytes += segment.buffer.length;
    return segment;
  }

  /** Which segment holds `seq`: binary search, for a full buffer has hundreds. */
  #placeOf(seq: number): number {
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

/** How many events a read examines between two looks at the clock: a few microseconds of work. */
const EVENTS_PER_LOOK_AT_CLOCK = 256;

/** The first index in `low..high` whose end lies beyond `limit`. */
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
