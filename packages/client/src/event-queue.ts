import type { FlockEvent } from "@flock-ts/protocol";

/** The events of one `for await` loop. They wait in memory until the loop requests them. */
export class EventQueue implements AsyncIterableIterator<FlockEvent, undefined> {
  readonly #events: FlockEvent[] = [];
  readonly #onEnd: (queue: EventQueue) => void;
  #wake: (() => void) | undefined;
  #ended = false;

  /** @param onEnd is called when the loop is left before `end`. */
  constructor(onEnd: (queue: EventQueue) => void) {
    this.#onEnd = onEnd;
  }

  /** Adds an event. */
  push(event: FlockEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  /** Ends the loop after the events that are waiting. */
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
