/** A stretch of the log as a store keeps it. */
export interface LogStretch {
  /** The stretch covers these seqs, both included; compaction may have left fewer events than seqs. */
  readonly first: number;
  readonly last: number;
  /** One event a line, in order, as it goes over the wire. */
  readonly lines: string;
}

/** The part of a store that remembers events for longer than memory does. */
export interface StoredLog {
  /** The newest seq; 0 when nothing was ever written. */
  readonly head: number;
  /** The oldest seq that is kept; `head + 1` when none is. */
  readonly oldest: number;
  /**
   * The stretch that begins with `seq`, or a little before, and ends with `until`, or a little after, or before that
   * when it grows large. `seq` lies between `oldest` and `head`.
   */
  read(seq: number, until: number): LogStretch;
  /** Tells that no reader takes events up to `seq` from memory any more, so that they may be compacted. */
  leftMemory(seq: number): void;
}
