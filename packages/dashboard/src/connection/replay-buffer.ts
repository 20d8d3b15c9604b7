import type { LogEntry } from "../timeline/log.ts";
import { weightOf } from "../timeline/trim.ts";

/**
 * Why a reader must discard its events. `new-log`: the server has another log. `overflow`: entries were evicted
 * unread.
 */
export type Restart = "new-log" | "overflow";

/** The entries that a reader receives at a time. */
export interface Chunk {
  readonly entries: readonly LogEntry[];
  /** The position to continue from. */
  readonly next: number;
  /** Set when these entries do not continue the reader's previous ones. */
  readonly restart: Restart | null;
  /** Whether the reader has every entry, and the server has nothing more to replay. */
  readonly isCurrent: boolean;
}

/** The largest chunk, in entries: a tab processes each chunk in one task. */
const CHUNK = 20_000;

/**
 * Keeps the newest entries of the log for readers (tabs) that each have a position in it. A request is answered at
 * once when there are entries for it, otherwise as soon as one arrives. Idle readers cost nothing.
 *
 * This is the only code that handles a change of epoch: the buffer drops the old log and restarts its readers.
 */
export class ReplayBuffer {
  readonly #kept: number;
  readonly #text: number;
  /** The weight of all entries. */
  #weight = 0;
  #entries: LogEntry[] = [];
  /** The position of the first entry. Positions count entries across all logs, and one for each change of epoch. */
  #first = 0;
  /** The position where the current log begins. */
  #logStart = 0;
  #isCaughtUp = false;
  #waiting: { from: number; isCurrent: boolean; give: (chunk: Chunk) => void }[] = [];

  /**
   * @param kept about how many entries to keep.
   * @param text about how many UTF-16 code units their streams and payloads may hold.
   */
  constructor(kept: number, text = Number.POSITIVE_INFINITY) {
    this.#kept = kept;
    this.#text = text;
  }

  /** Adds an entry. */
  add(entry: LogEntry): void {
    if (entry.type === "gap" && entry.reason === "epoch") {
      this.#startNewLog();
      return;
    }
    this.#weight += weight(entry);
    this.#entries.push(entry);
    if (this.#entries.length > this.#kept * 1.2) this.#evict(this.#entries.length - this.#kept);
    if (this.#weight > this.#text * 1.2) this.#evict(this.#excess());
    this.#answer();
  }

  /** Whether the server has nothing more to replay. */
  set isCaughtUp(is: boolean) {
    if (is === this.#isCaughtUp) return;
    this.#isCaughtUp = is;
    this.#answer();
  }

  /**
   * Resolves with the entries from a position on, as soon as there are any.
   *
   * @param from a position from `Chunk.next`; 0 for a reader without entries.
   * @param isCurrent whether the reader already knows that it is current. If not, being current counts as an answer.
   */
  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return new Promise((give) => {
      this.#waiting.push({ from, isCurrent, give });
      this.#answer();
    });
  }

  #startNewLog(): void {
    this.#evict(this.#entries.length);
    // Takes a position for itself, so that a current reader of the old log is behind the new one.
    this.#first++;
    this.#logStart = this.#first;
    this.#answer();
  }

  /** Counts the oldest entries that exceed the text limit together; the newest entry stays. */
  #excess(): number {
    let [excess, left] = [0, this.#weight];
    while (left > this.#text && excess < this.#entries.length - 1) left -= weight(this.#entries[excess++] as LogEntry);
    return excess;
  }

  #evict(count: number): void {
    for (const entry of this.#entries.slice(0, count)) this.#weight -= weight(entry);
    this.#entries = this.#entries.slice(count);
    this.#first += count;
  }

  #answer(): void {
    const end = this.#first + this.#entries.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reader of waiting) {
      const restart = this.#restartFor(reader.from, reader.isCurrent);
      const from = Math.max(reader.from, this.#first);
      if (from >= end && restart === null && (reader.isCurrent || !this.#isCaughtUp)) {
        this.#waiting.push(reader);
        continue;
      }
      const next = Math.min(end, from + CHUNK);
      reader.give({
        entries: this.#entries.slice(from - this.#first, next - this.#first),
        next,
        restart,
        isCurrent: next === end && this.#isCaughtUp,
      });
    }
  }

  #restartFor(from: number, isCurrent: boolean): Restart | null {
    // A reader at 0 has nothing to discard, unless it already received an empty chunk.
    if (from < this.#logStart && (from > 0 || isCurrent)) return "new-log";
    return from < this.#first && from > 0 ? "overflow" : null;
  }
}

function weight(entry: LogEntry): number {
  return entry.type === "gap" ? 0 : weightOf(entry);
}
