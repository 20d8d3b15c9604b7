import type { Following, Joining, Received } from "../calls.ts";
import { now } from "../event.ts";
import { Client, type Expectation, events, type Listener } from "./client.ts";
import { DIALECTS } from "./dialects.ts";
import { Latencies } from "./latencies.ts";

/**
 * One in this many deliveries is timed. It shares no factor with the usual client counts, so that all clients are
 * sampled.
 */
const SAMPLED = 7;
/** Number of concurrent connects: Node's listen backlog is 511, and further connections are delayed by a second. */
const AT_ONCE = 256;

/** A group of clients with the same behaviour. */
export class Crowd implements Listener {
  readonly #clients: Client[];
  readonly #latencies = new Latencies();
  #deliveries = 0;
  #bytes = 0;
  #mistakes = 0;
  #firstMistake = "";
  #lost = 0;
  #lostBecause = "";
  #first = 0;
  #waiting = 0;
  #onComplete: () => void = () => {};

  constructor({ peer, port, clients, following = "everything", first = 0, compression = false }: Joining) {
    this.#clients = Array.from({ length: clients }, (_, i) => {
      const { workflow, expectation } = wishOf(following, i, clients, first);
      return new Client(port, DIALECTS[peer], workflow, expectation, this, compression);
    });
  }

  connect(isBack = false): Promise<void> {
    const queue = this.#clients.values();
    const work = async () => {
      for (const client of queue) await client.connect(isBack);
    };
    return Promise.all(Array.from({ length: AT_ONCE }, work)).then(() => {});
  }

  begin(): void {
    this.#latencies.clear();
    this.#deliveries = this.#bytes = this.#mistakes = this.#first = 0;
  }

  /** Resolves when all clients have all events below `until`, or when the time limit passes. */
  async receive(until: number, withinMs: number): Promise<Received> {
    const late = this.#clients.filter((client) => client.lacks(until));
    this.#waiting = late.length;
    if (late.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.#onComplete = () => {
          clearTimeout(timer);
          resolve();
        };
        for (const client of late) client.awaitUntil(until);
      });
      for (const client of late) client.awaitUntil(0);
    }
    return {
      complete: this.#waiting === 0,
      lost: this.#lost,
      lostBecause: this.#lostBecause,
      deliveries: this.#deliveries,
      bytes: this.#bytes,
      elapsedMs: this.#first === 0 ? 0 : now() - this.#first,
      p50Ms: this.#latencies.percentile(0.5),
      p99Ms: this.#latencies.percentile(0.99),
      mistakes: this.#mistakes,
      firstMistake: this.#firstMistake,
    };
  }

  stall(): void {
    for (const client of this.#clients) client.stall();
  }

  read(): void {
    for (const client of this.#clients) client.read();
  }

  drop(): void {
    for (const client of this.#clients) client.drop();
  }

  took(data: Buffer, mistake: string | undefined): void {
    if (mistake !== undefined && this.#mistakes++ === 0) this.#firstMistake = mistake;
    if (this.#deliveries === 0) this.#first = now();
    if (this.#deliveries % SAMPLED === 0) this.#latencies.add(now() - events.timeIn(data));
    this.#deliveries += 1;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  hasAll(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#onComplete();
  }

  wasLost(reason: string, isAwaited: boolean): void {
    this.#lost += 1;
    this.#lostBecause = reason;
    if (isAwaited) this.hasAll();
  }
}

/** Returns what the i-th client of a crowd subscribes to, and the events that it will receive. */
function wishOf(
  following: Following,
  i: number,
  clients: number,
  first: number,
): { workflow: number | undefined; expectation: Expectation } {
  switch (following) {
    case "everything":
      return { workflow: undefined, expectation: { first, step: 1 } };
    case "its own":
      return { workflow: i, expectation: { first: first + i, step: clients } };
    case "nothing":
      return { workflow: clients + i, expectation: { first, step: 0 } };
  }
}
