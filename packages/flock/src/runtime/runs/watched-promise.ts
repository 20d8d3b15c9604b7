/** A promise that reports each caller that awaits it. */
export class WatchedPromise<T> extends Promise<T> {
  readonly #source: Promise<T>;
  readonly #onWait: (source: Promise<T>) => Promise<T>;

  /** Derived promises are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @param onWait is called for each caller that awaits the promise. Returns the promise that this caller awaits instead. */
  constructor(source: Promise<T>, onWait: (source: Promise<T>) => Promise<T>) {
    super((resolve, reject) => source.then(resolve, reject));
    this.#source = source;
    this.#onWait = onWait;
    // Callers await the source, so only this handles a rejection of the object itself.
    super.then(undefined, () => {});
  }

  // biome-ignore lint/suspicious/noThenProperty: the only way to notice that a promise is awaited
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#onWait(this.#source).then(onFulfilled, onRejected);
  }
}
