/** The longest that an event waits for company, in ms: below what an eye can tell. */
const LONGEST_MS = 20;
/** Flushing takes at most one part in this many plus one of the time: the rest belongs to agents. */
const REST_PER_WORK = 5;

/**
 * Decides when to flush. After silence at once, in the same turn of the event loop; under load events leave together,
 * the longer apart the more a flush costs.
 */
export class FlushWindow {
  readonly #flush: () => void;
  #cancel: (() => void) | undefined;
  #notBefore = 0;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  /** There is something to flush. */
  request(): void {
    if (this.#cancel) return;
    const wait = this.#notBefore - performance.now();
    // Not right here: who publishes does not wait for sockets, and what else it publishes in this turn comes along.
    if (wait < 1) {
      const immediate = setImmediate(this.#run);
      this.#cancel = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(this.#run, wait);
      this.#cancel = () => clearTimeout(timer);
    }
  }

  /** Flushes now, whatever the window says. */
  flushNow(): void {
    this.#cancel?.();
    this.#run();
  }

  readonly #run = (): void => {
    this.#cancel = undefined;
    const started = performance.now();
    this.#flush();
    const ended = performance.now();
    this.#notBefore = ended + Math.min(LONGEST_MS, REST_PER_WORK * (ended - started));
  };
}
