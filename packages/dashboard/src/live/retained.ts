import type { ControlOf, FlockEvent } from "@flock/protocol";

/** An event, or what is missing in its place. */
export type Entry = FlockEvent | ControlOf<"gap">;

/** What a reader is given. */
export interface Stretch {
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
export class Retained {
  readonly #kept: number;
  #entries: Entry[] = [];
  /** The place of the first entry: places count entries from the beginning, whatever log they are of. */
  #first = 0;
  #isCaughtUp = false;
  #waiting: { from: number; isCurrent: boolean; give: (stretch: Stretch) => void }[] = [];

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Takes an entry in. */
  add(entry: Entry): void {
    if (entry.type === "gap" && entry.reason === "epoch") {
      // Another log: what was kept is of no use to anybody.
      this.#first += this.#entries.length;
      this.#entries = [];
    }
    this.#entries.push(entry);
    if (this.#entries.length > this.#kept * 1.2) {
      this.#first += this.#entries.length - this.#kept;
      this.#entries = this.#entries.slice(-this.#kept);
    }
    this.#answer();
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
  next(from: number, isCurrent: boolean): Promise<Stretch> {
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
