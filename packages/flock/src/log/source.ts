/** A range of the log as a store keeps it. */
export interface LogRange {
  /** The range covers these seqs, both included. Compaction may have left fewer events than seqs. */
  readonly first: number;
  readonly last: number;
  /** One event per line, in order, as it goes over the wire. */
  readonly lines: string;
}

/** Where events are read that have left memory. */
export interface LogSource {
  /** The newest seq; 0 when nothing was ever written. */
  readonly head: number;
  /** The oldest seq that is kept; `head + 1` when none is. */
  readonly oldest: number;
  /**
   * Returns a range that begins with `seq`, or a little before. It ends with `until`, or a little after, or earlier
   * when it becomes large. `seq` must lie between `oldest` and `head`.
   */
  read(seq: number, until: number): Promise<LogRange>;
  /** Reports that subscribers no longer read events up to `seq` from memory, so that they may be compacted. */
  leftMemory(seq: number): void;
}
