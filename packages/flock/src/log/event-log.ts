import { setImmediate as macrotask } from "node:timers/promises";
import { type Batch, type BufferedEvent, LogBuffer } from "./log-buffer.ts";
import { Page } from "./page.ts";
import type { Scope } from "./scope.ts";
import type { LogSource } from "./source.ts";

/** How many pages are kept in memory for subscribers that read the same range: some 8 MiB. */
const MAX_PAGES = 16;
/** Pages begin at multiples of this seq, or after the previous page, so that all subscribers use the same ones. */
const PAGE_EVENTS = 1_024;
/** How long one read may search for events of a scope before other work runs, in ms. */
const READ_MS = 1;
/** The most pages that a search for the newest matching events reads. */
const MAX_PAGES_BACK = 256;

/** The log: its newest part in memory, the rest in the store, and notifications when it has grown. */
export class EventLog {
  /** Identifies the log: a seq of another epoch belongs to another log. */
  readonly epoch: string;
  readonly buffer: LogBuffer;
  readonly #stored: LogSource | undefined;
  /** The pages read last, the newest last. */
  #pages: Page[] = [];
  /** Pages that are being read, by where they begin. */
  readonly #loading = new Map<number, Promise<Page>>();
  readonly #listeners = new Set<() => void>();
  #events = 0;

  /** @param stored holds the events that the buffer of `logBufferBytes` no longer holds. Without it, they are dropped. */
  constructor(epoch: string, logBufferBytes: number, stored?: LogSource) {
    this.epoch = epoch;
    this.buffer = new LogBuffer(logBufferBytes, stored?.head);
    this.#stored = stored;
  }

  /** The newest seq; 0 when the log is empty. */
  get head(): number {
    return this.buffer.head;
  }

  /** The oldest seq kept; `head + 1` when no event is kept. */
  get oldest(): number {
    return Math.min(this.buffer.oldest, this.#stored?.oldest ?? this.buffer.oldest);
  }

  /** How many events this process has added. */
  get appended(): number {
    return this.#events;
  }

  /**
   * Reads what belongs to `scope` after `after`, up to `until`: about `maxBytes` at most, but at least one event. The
   * caller has checked that all of it is kept (`after + 1 >= oldest`). Returns a promise when the events are not in
   * memory; it rejects when the store cannot read them.
   */
  read(after: number, until: number, scope: Scope | undefined, maxBytes: number): Batch | Promise<Batch> {
    if (!this.#stored || after + 1 >= this.buffer.oldest)
      return this.buffer.read(after, until, scope, maxBytes, READ_MS);
    const page = this.#page(this.#stored, after + 1);
    if (page instanceof Promise) return page.then((loaded) => loaded.read(after, until, scope, maxBytes));
    return page.read(after, until, scope, maxBytes);
  }

  /**
   * Returns the seq before the newest `count` matching events up to `until`, or before fewer of them when the newest
   * 64 MiB or so of the log hold fewer. Returns a promise when it takes more than memory to tell.
   */
  beforeNewest(count: number, until: number, scope: Scope | undefined): number | Promise<number> {
    const { after, missing } = this.buffer.beforeNewest(count, until, scope);
    if (!this.#stored || missing === 0 || after < this.oldest) return Math.max(after, this.oldest - 1);
    return this.#beforeNewestStored(this.#stored, missing, after, scope);
  }

  async #beforeNewestStored(stored: LogSource, count: number, from: number, scope: Scope | undefined): Promise<number> {
    let after = from;
    let missing = count;
    try {
      for (let pages = 0; pages < MAX_PAGES_BACK; pages++) {
        // The page may be in memory, and an awaited value continues as a microtask: without this, the search could block
        // the event loop for the time of all pages.
        if (pages > 0) await macrotask();
        if (missing === 0 || after < this.oldest) break;
        ({ after, missing } = (await this.#page(stored, after)).beforeNewest(missing, after, scope));
      }
    } catch {
      // A damaged range of the file: the events before it cannot be reached.
    }
    // A page in memory may begin with events that the store has dropped since. A caller that wants the newest events
    // must not receive a gap.
    return Math.max(after, this.oldest - 1);
  }

  /** Appends committed events, in order, then notifies the listeners once. */
  append(events: readonly BufferedEvent[]): void {
    for (const event of events) this.buffer.append(event);
    this.#events += events.length;
    this.#stored?.leftMemory(this.buffer.oldest - 1);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever the log has grown. Returns a function that removes it. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns the page that holds `seq`: loaded once for all subscribers that read there. */
  #page(stored: LogSource, seq: number): Page | Promise<Page> {
    const held = this.#pages.find((page) => isWithin(page, seq));
    if (held) {
      this.#keep(held);
      return held;
    }
    const block = seq - (seq % PAGE_EVENTS);
    const before = this.#pages.find(({ last }) => last === seq - 1);
    const from = Math.max(stored.oldest, before && seq > block ? seq : block);
    const loading = this.#loading.get(from);
    // It may be loading a later page of the block.
    if (loading) return loading.then((page) => (isWithin(page, seq) ? page : this.#page(stored, seq)));
    const loaded = this.#load(stored, seq, from, block + PAGE_EVENTS - 1).finally(() => this.#loading.delete(from));
    this.#loading.set(from, loaded);
    return loaded;
  }

  async #load(stored: LogSource, seq: number, from: number, until: number): Promise<Page> {
    for (let next = from; ; ) {
      const range = await stored.read(next, until);
      if (range.last >= seq) {
        const page = new Page(range);
        this.#keep(page);
        return page;
      }
      next = range.last + 1;
    }
  }

  #keep(page: Page): void {
    if (page === this.#pages.at(-1)) return;
    // Pages never overlap: once the store has compacted a range, an older page of it has more events than a newer one.
    const others = this.#pages.filter(({ first, last }) => last < page.first || first > page.last);
    this.#pages = [...others, page].slice(-MAX_PAGES);
  }
}

function isWithin({ first, last }: Page, seq: number): boolean {
  return first <= seq && seq <= last;
}
