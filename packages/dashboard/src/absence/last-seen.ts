/** How far a viewer had seen the log, and when. */
export interface LastSeen {
  readonly epoch: string | null;
  readonly seq: number;
  /** As `Date.now()` counts. */
  readonly at: number;
}

/** The part of `Storage` that is used here. */
export type KeyValueStorage = Pick<Storage, "getItem" | "setItem">;

const KEY = "flock-seen";

/** Returns what an earlier visit of this page has stored. */
export function readLastSeen(storage: KeyValueStorage): LastSeen | undefined {
  try {
    return JSON.parse(storage.getItem(KEY) ?? "") as LastSeen;
  } catch {
    return undefined;
  }
}

/** Stores how far the viewer has seen the log, for the next visit of this page. */
export function writeLastSeen(storage: KeyValueStorage, seen: LastSeen): void {
  storage.setItem(KEY, JSON.stringify(seen));
}
