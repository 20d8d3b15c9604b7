import type { FlockEvent } from "@flock-ts/protocol";

/** Events for one `for await`: they wait here until the loop asks for them. */
export class EventQueue implements AsyncIterableIterator<FlockEvent, undefined> {
  readonly #events: FlockEvent[] = [];
  readonly #onEnd: (queue: EventQueue) => void;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(onEnd: (queue: EventQueue) => void) {
    this.#onEnd = onEnd;
  }

  push(event: FlockEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  /** No more will come; what waits is still given out. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<FlockEvent, undefined>> {
    while (this.#events.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#events.shift();
    return event ? { value: event, done: false } : { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<FlockEvent, undefined>> {
    this.#events.length = 0;
    this.end();
    this.#onEnd(this);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
