/** The default time limit of a wait, in ms. Only a failing test waits so long. */
export const PATIENCE = 15_000;

/**
 * Lets a test wait for a condition instead of a time. Code that changes something calls `tell()`, and
 * each waiting `until` checks its condition again.
 */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Makes each waiting `until` check its condition again. */
  tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Calls `look` now and after every change until it returns a value, and resolves to that value.
   * `look` may throw to reject at once. `account` describes the state, for the error after `within` ms.
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
