import type { Following, Joining, Received } from "../calls.ts";
import { now } from "../event.ts";
import { Client, type Expectation, events, type Listener } from "./client.ts";
import { DIALECTS } from "./dialects.ts";
import { Latencies } from "./latencies.ts";

/** One delivery in so many is timed. Prime to the usual numbers of clients, so that all of them have their turn. */
const SAMPLED = 7;
/** So many connect at the same time: a listening socket of Node keeps 511 waiting, and drops the rest for a second. */
const AT_ONCE = 256;

/** Clients that do the same. */
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

  /** Resolves when everyone has all below `until`, or when the time is over. */
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

/** What the i-th client of a crowd follows, and what it will therefore see. */
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
