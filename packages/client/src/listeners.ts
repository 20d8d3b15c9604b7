/** Listeners of one kind of message. One that throws or rejects does not affect the others. */
export class Listeners<T> {
  readonly #listeners = new Set<(message: T) => unknown>();
  readonly #onError: (error: unknown) => void;

  /** @param onError receives what a listener throws, or rejects with. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a listener. Returns a function that removes it. A listener added twice is called twice. */
  add(listener: (message: T) => unknown): () => void {
    const own = (message: T) => listener(message);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Calls all listeners. One that is added meanwhile is not called; one that is removed meanwhile is not called any more. */
  call(message: T): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        const result = listener(message);
        if (result instanceof Promise) result.catch(this.#onError);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Returns a function that passes errors to `onError`. Without it, or if it throws, an error is reported as uncaught. */
export function errorReporter(onError?: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    if (!onError) return reportUncaught(error);
    try {
      onError(error);
    } catch (another) {
      reportUncaught(another);
    }
  };
}

function reportUncaught(error: unknown): void {
  const report = (globalThis as { reportError?: (error: unknown) => void }).reportError ?? throwLater;
  report(error);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
