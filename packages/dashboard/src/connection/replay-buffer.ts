import type { ControlOf, FlockEvent } from "@flock-ts/protocol";
import { NameInterner } from "../timeline/name-interner.ts";
import { weightOf } from "../timeline/trim.ts";

/** An event, or what is missing in its place. */
export type Entry = FlockEvent | ControlOf<"gap">;

/** What a reader is given. */
export interface Chunk {
  readonly entries: readonly Entry[];
  /** Where to go on. */
  readonly next: number;
  /** True when the reader's place is no longer kept: these entries begin anew, and what it had is void. */
  readonly restarts: boolean;
  /** Whether the reader now has everything there is, and what there is is up to date. */
  readonly isCurrent: boolean;
}

/** Entries in one stretch at most: taking them in is one task of the tab. */
const STRETCH = 20_000;

/**
 * The newest entries of the log, for readers that each have a place in it: tabs. Whoever asks is answered at once when
 * there is something, else when it comes; whoever does not ask costs nothing.
 */
export class ReplayBuffer {
  readonly #kept: number;
  readonly #text: number;
  readonly #names = new NameInterner();
  /** Of all entries. */
  #weight = 0;
  #entries: Entry[] = [];
  /** The place of the first entry: places count entries from the beginning, whatever log they are of. */
  #first = 0;
  #isCaughtUp = false;
  #waiting: { from: number; isCurrent: boolean; give: (stretch: Chunk) => void }[] = [];

  /** Keeps so many entries, about, whose streams and payloads are no more than so many UTF-16 code units. */
  constructor(kept: number, text = Number.POSITIVE_INFINITY) {
    this.#kept = kept;
    this.#text = text;
  }

  /** Takes an entry in. */
  add(entry: Entry): void {
    if (entry.type === "gap" && entry.reason === "epoch") {
      // Another log: what was kept is of no use to anybody.
      this.#forget(this.#entries.length);
    }
    if (entry.type !== "gap") this.#names.in(entry);
    this.#weight += weight(entry);
    this.#entries.push(entry);
    if (this.#entries.length > this.#kept * 1.2) this.#forget(this.#entries.length - this.#kept);
    if (this.#weight > this.#text * 1.2) this.#forget(this.#excess());
    this.#answer();
  }

  /** How many of the oldest are too heavy together; the newest one stays. */
  #excess(): number {
    let [excess, left] = [0, this.#weight];
    while (left > this.#text && excess < this.#entries.length - 1) left -= weight(this.#entries[excess++] as Entry);
    return excess;
  }

  #forget(count: number): void {
    for (const entry of this.#entries.slice(0, count)) this.#weight -= weight(entry);
    this.#entries = this.#entries.slice(count);
    this.#first += count;
  }

  /** Says whether all that the server has had to tell is here. */
  set isCaughtUp(is: boolean) {
    if (is === this.#isCaughtUp) return;
    this.#isCaughtUp = is;
    this.#answer();
  }

  /**
   * What comes from a place on. Resolves as soon as there is something; for a reader who does not know yet that it is
   * current, to be so is something.
   */
  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return new Promise((give) => {
      this.#waiting.push({ from, isCurrent, give });
      this.#answer();
    });
  }

  #answer(): void {
    const end = this.#first + this.#entries.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reader of waiting) {
      const restarts = reader.from < this.#first && reader.from > 0;
      const from = Math.max(reader.from, this.#first);
      const isNews = from < end || restarts || (!reader.isCurrent && this.#isCaughtUp);
      if (!isNews) {
        this.#waiting.push(reader);
        continue;
      }
      const next = Math.min(end, from + STRETCH);
      reader.give({
        entries: this.#entries.slice(from - this.#first, next - this.#first),
        next,
        restarts,
        isCurrent: next === end && this.#isCaughtUp,
      });
    }
  }
}

function weight(entry: Entry): number {
  return entry.type === "gap" ? 0 : weightOf(entry);
}
