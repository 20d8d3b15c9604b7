import { type Batch, type BufferedEvent, LogBuffer } from "./log-buffer.ts";
import { Page } from "./page.ts";
import type { Scope } from "./scope.ts";
import type { StoredLog } from "./stored-log.ts";

/** How many pages are kept in memory for those who read at the same place: some 8 MiB. */
const MAX_PAGES = 16;
/** Pages begin where blocks of so many events begin, or where the page before ends: all readers find the same ones. */
const PAGE_EVENTS = 1_024;
/** How long one read may search for events of a scope before others have their turn, in ms. */
const READ_MS = 1;
/** How many pages a search for the newest matching events goes back through. */
const MAX_PAGES_BACK = 256;

/** The log as readers know it: the newest part in memory, the rest in the store, and a call when it has grown. */
export class EventLog {
  /** Which log this is: a seq means nothing in another epoch. */
  readonly epoch: string;
  readonly buffer: LogBuffer;
  readonly #stored: StoredLog | undefined;
  /** Read lately, the newest last. */
  #pages: Page[] = [];
  readonly #listeners = new Set<() => void>();
  #events = 0;

  /** @param stored where events are read that the buffer of `logBufferBytes` no longer holds; without it they are gone. */
  constructor(epoch: string, logBufferBytes: number, stored?: StoredLog) {
    this.epoch = epoch;
    this.buffer = new LogBuffer(logBufferBytes, stored?.head);
    this.#stored = stored;
  }

  /** The newest seq; 0 when the log is empty. */
  get head(): number {
    return this.buffer.head;
  }

  /** The oldest seq that is kept; `head + 1` when none is. */
  get oldest(): number {
    return Math.min(this.buffer.oldest, this.#stored?.oldest ?? this.buffer.oldest);
  }

  /** How many events this process has added. */
  get appended(): number {
    return this.#events;
  }

  /**
   * Reads on after `after`, up to `until`, what belongs to `scope`: at most about `maxBytes`, but at least one event.
   * The caller has checked that all of it is kept (`after + 1 >= oldest`). A promise when it is not at hand, or when the
   * store cannot read it: then it rejects.
   */
  read(after: number, until: number, scope: Scope | undefined, maxBytes: number): Batch | Promise<Batch> {
    if (!this.#stored || after + 1 >= this.buffer.oldest)
      return this.buffer.read(after, until, scope, maxBytes, READ_MS);
    try {
      return this.#page(this.#stored, after + 1).read(after, until, scope, maxBytes);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The seq after which exactly the newest `count` matching events up to `until` come; less when there are fewer in
   * the newest 64 MiB or so of the log.
   */
  beforeNewest(count: number, until: number, scope: Scope | undefined): number {
    let { after, missing } = this.buffer.beforeNewest(count, until, scope);
    if (!this.#stored) return after;
    try {
      for (let pages = 0; missing > 0 && after >= this.oldest && pages < MAX_PAGES_BACK; pages++) {
        ({ after, missing } = this.#page(this.#stored, after).beforeNewest(missing, after, scope));
      }
    } catch {
      // A damaged stretch of the file: there are no more than these to be had.
    }
    // A page in memory may begin with events that the store has dropped since: nobody who asks for the newest wants a gap.
    return Math.max(after, this.oldest - 1);
  }

  /** Adds committed events, in order, then tells the listeners once. */
  append(events: readonly BufferedEvent[]): void {
    for (const event of events) this.buffer.append(event);
    this.#events += events.length;
    this.#stored?.leftMemory(this.buffer.oldest - 1);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever the log has grown. Returns how to stop that. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The page that holds `seq`: made once for everyone who reads there. */
  #page(stored: StoredLog, seq: number): Page {
    const held = this.#pages.find(({ first, last }) => first <= seq && seq <= last);
    const page = held ?? this.#load(stored, seq);
    if (page !== this.#pages.at(-1)) {
      // Pages never overlap: once the store has compacted a stretch, an older page of it has more events than a newer one.
      const others = this.#pages.filter(({ first, last }) => last < page.first || first > page.last);
      this.#pages = [...others, page].slice(-MAX_PAGES);
    }
    return page;
  }

  #load(stored: StoredLog, seq: number): Page {
    const block = seq - (seq % PAGE_EVENTS);
    const before = this.#pages.find(({ last }) => last === seq - 1);
    let from = Math.max(stored.oldest, before && seq > block ? seq : block);
    for (;;) {
      const stretch = stored.read(from, block + PAGE_EVENTS - 1);
      if (stretch.last >= seq) return new Page(stretch);
      from = stretch.last + 1;
    }
  }
}
