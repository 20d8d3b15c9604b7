import { EventSource } from "eventsource";
import { artifact, Flock } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { layCable } from "../support/cable.ts";
import { Changes } from "../support/changes.ts";

const Note = artifact("Note", z.object({ n: z.int(), text: z.string() }));

/** Everything that the package delivers, over all its connections. */
class Reader implements Disposable {
  readonly messages: { type: string; seq?: number; epoch?: string }[] = [];
  readonly #source: EventSource;
  readonly #changes = new Changes();

  constructor(url: string) {
    this.#source = new EventSource(url);
    this.#source.onmessage = ({ data }) => {
      this.messages.push(JSON.parse(data));
      this.#changes.tell();
    };
  }

  /** The seqs of all events. */
  get seqs(): number[] {
    return this.messages.flatMap(({ type, seq }) => (seq === undefined || type === "caught_up" ? [] : [seq]));
  }

  get connections(): number {
    return this.messages.filter(({ type }) => type === "hello").length;
  }

  until(holds: () => boolean): Promise<true> {
    return this.#changes.until(holds, () => `there was only ${JSON.stringify(this.messages).slice(-2_000)}`);
  }

  [Symbol.dispose](): void {
    this.#source.close();
  }
}

describe("the npm package eventsource", () => {
  it("misses no event when the connection breaks before the first one", async () => {
    const flock = new Flock();
    await using _ = { [Symbol.asyncDispose]: () => flock.shutdown() };
    await flock.publish(Note({ n: 0, text: "" }));
    const server = await flock.serve({ components: [new WebSocketServerComponent()], port: 0 });
    await using cable = await layCable(server.url);
    using reader = new Reader(`${cable.url}/plugin/events`);
    await reader.until(() => reader.connections === 1);
    const before = flock.log.head;
    cable.cut();
    await flock.publish(Note({ n: 1, text: "" }));
    cable.mend();
    await reader.until(() => reader.seqs.at(-1) === flock.log.head);
    expect(reader.seqs).toEqual(Array.from({ length: flock.log.head - before }, (_, index) => before + 1 + index));
  });

  it("receives each event once, across breaks within an event and restarts of the server", async () => {
    const flock = new Flock();
    await using _ = { [Symbol.asyncDispose]: () => flock.shutdown() };
    const serve = (port: number) => flock.serve({ components: [new WebSocketServerComponent()], port });
    let server = await serve(0);
    await using cable = await layCable(server.url);
    using reader = new Reader(`${cable.url}/plugin/events`);
    await reader.until(() => reader.connections === 1);
    const before = flock.log.head;
    let n = 0;
    const publish = () => flock.publish(Note({ n: ++n, text: "x".repeat(200 * n) }));
    for (let round = 1; round <= 2; round++) {
      await publish();
      await reader.until(() => reader.seqs.at(-1) === flock.log.head);
      // Some bytes of the next event arrive, and then the connection breaks.
      cable.throttle(50);
      await publish();
      await publish();
      cable.cut();
      await publish();
      if (round === 2) {
        const { port } = server;
        await server.close();
        await publish();
        server = await serve(port);
      }
      cable.release();
      cable.mend();
      await reader.until(() => reader.seqs.at(-1) === flock.log.head);
    }
    expect(reader.seqs).toEqual(Array.from({ length: flock.log.head - before }, (_, index) => before + 1 + index));
    expect(reader.messages.filter(({ type }) => type === "gap")).toEqual([]);
    expect(reader.connections).toBeGreaterThanOrEqual(3);
  });
});
