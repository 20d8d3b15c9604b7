/** Calls to the process with the board. */
export interface BoardCalls {
  /** Returns the URL of the dashboard. */
  url(): string;
  /** Runs the agents at full speed until there are at least this many events and artifacts. */
  fill(events: number, artifacts: number): Promise<Board>;
  /** Produces a number of events per second until changed; 0 stops. */
  flood(perSecond: number): void;
  /** Returns the current size of the board. */
  look(): Board;
}

/** Size of the board. */
export interface Board {
  /** The latest `seq`. */
  readonly head: number;
  readonly artifacts: number;
  /** Time in ms like `Date.now()`, with a fraction. */
  readonly at: number;
}
