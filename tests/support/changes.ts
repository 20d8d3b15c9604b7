/** How long anything may take, in ms. Only a failing test ever waits so long. */
export const PATIENCE = 15_000;

/**
 * Lets a test wait for a condition instead of a time: whoever changes something says `tell()`, and
 * whoever waits looks again.
 */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Something has changed: everyone who waits looks again. */
  tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Looks now and after every change until there is something, and gives it. `look` may throw to
   * give up at once. `account` tells what there is instead, for the error after `within` ms.
   */
  async until<V>(look: () => V | undefined | false, account: () => string, within = PATIENCE): Promise<V> {
    const deadline = performance.now() + within;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`waited ${within} ms: ${account()}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }
}
