import type { FlockEvent } from "@flock-ts/protocol";

type Result = IteratorResult<FlockEvent, undefined>;

/** The events of one `for await` loop. They wait in memory until the loop requests them. */
export class EventQueue implements AsyncIterableIterator<FlockEvent, undefined> {
  /** Events that are not requested yet, from `#first` on. */
  #events: FlockEvent[] = [];
  #first = 0;
  /** Requests without an event. There are none while events wait. */
  readonly #requests: ((result: Result) => void)[] = [];
  readonly #onEnd: (queue: EventQueue) => void;
  #ended = false;

  /** @param onEnd is called when the loop is left before `end`. */
  constructor(onEnd: (queue: EventQueue) => void) {
    this.#onEnd = onEnd;
  }

  /** Adds an event. */
  push(event: FlockEvent): void {
    const request = this.#requests.shift();
    if (request) request({ value: event, done: false });
    else this.#events.push(event);
  }

  /** Ends the loop after the events that are waiting. */
  end(): void {
    this.#ended = true;
    for (const request of this.#requests.splice(0)) request({ value: undefined, done: true });
  }

  next(): Promise<Result> {
    const event = this.#events[this.#first];
    if (!event && !this.#ended) return new Promise((resolve) => this.#requests.push(resolve));
    if (!event) return Promise.resolve({ value: undefined, done: true });
    this.#first += 1;
    // `shift` would move all events for each one. Removing half of them at a time moves each event once.
    if (this.#first * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
    return Promise.resolve({ value: event, done: false });
  }

  async return(): Promise<Result> {
    this.#events = [];
    this.#first = 0;
    this.end();
    this.#onEnd(this);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
