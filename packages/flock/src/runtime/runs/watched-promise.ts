/** A promise that learns when someone waits for it. */
export class WatchedPromise<T> extends Promise<T> {
  readonly #source: Promise<T>;
  readonly #onWait: (source: Promise<T>) => Promise<T>;

  /** What follows from it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @param onWait is called for each caller that waits, and returns the promise that this caller waits for instead. */
  constructor(source: Promise<T>, onWait: (source: Promise<T>) => Promise<T>) {
    super((resolve, reject) => source.then(resolve, reject));
    this.#source = source;
    this.#onWait = onWait;
    // Callers wait for the source: a rejection of this object has no one else to handle it.
    super.then(undefined, () => {});
  }

  // biome-ignore lint/suspicious/noThenProperty: this is a promise
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#onWait(this.#source).then(onFulfilled, onRejected);
  }
}
