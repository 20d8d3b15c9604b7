/** What the suite asks the process that has the board. */
export interface BoardCalls {
  /** Where the dashboard is. */
  url(): string;
  /** Lets the agents work, as fast as they can, until there are at least so many events and artifacts. */
  fill(events: number, artifacts: number): Promise<Board>;
  /** Begins to make so many events a second, until it is told another number. 0: none. */
  flood(perSecond: number): void;
  /** What there is now. */
  look(): Board;
}

/** What is on the board. */
export interface Board {
  /** The newest seq. */
  readonly head: number;
  readonly artifacts: number;
  /** As `Date.now()` counts, to a fraction. */
  readonly at: number;
}
