/** Where not every frame is worth painting, in ms. Browsers stretch it to a second in hidden tabs. */
const LEISURELY_MS = 250;

/**
 * Gathers items and gives them on together, once per animation frame: thousands a second cost as many paints as one.
 * Where nothing is painted (a hidden tab) a timer takes the frame's place, also for a frame that was already asked for;
 * and where `isLeisurely` says that it is not worth it.
 */
export class FrameBatch<T> {
  readonly #apply: (items: readonly T[]) => void;
  readonly #isLeisurely: () => boolean;
  #waiting: T[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(apply: (items: readonly T[]) => void, isLeisurely: () => boolean = () => false) {
    this.#apply = apply;
    this.#isLeisurely = isLeisurely;
    document.addEventListener("visibilitychange", () => {
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#frame === 0 && this.#timer === undefined) this.#schedule();
  }

  /** Gives on what waits, now. */
  readonly flush = (): void => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const items = this.#waiting;
    this.#waiting = [];
    this.#apply(items);
  };

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    const waits = document.hidden || this.#isLeisurely();
    this.#frame = waits ? 0 : requestAnimationFrame(this.flush);
    this.#timer = waits ? setTimeout(this.flush, LEISURELY_MS) : undefined;
  }
}
