import { join } from "node:path";
import { connect } from "@flock-ts/client";
import type { FlockEvent } from "@flock-ts/protocol";
import { artifact, Flock } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { describe, expect, it } from "vitest";
import { WebSocket as PlainWebSocket } from "ws";
import { z } from "zod";
import { textsOf } from "../../packages/flock/src/log/frame.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startServer } from "../support/server.ts";
import { TextReader } from "../support/text-reader.ts";

const Topic = artifact("Topic", z.object({ n: z.int() }));
/** Number of reconnects of each client. */
const VISITS = 20;

const random = (most: number) => Math.floor(Math.random() * most);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A flock that works without pause until stopped and records what its runs streamed. */
class BusyFlock {
  readonly flock: Flock;
  /** Text that each run streamed. */
  readonly streamed = new Map<string, string>();
  #goesOn = true;
  readonly #publishers: Promise<void>[];

  static async open(path: string): Promise<BusyFlock> {
    // The smallest log buffer, which holds less than a second of this.
    return new BusyFlock(await Flock.open({ store: sqliteStore(path), logBufferBytes: 0 }));
  }

  private constructor(flock: Flock) {
    this.flock = flock;
    for (const name of ["a", "b", "c"]) {
      this.flock
        .agent(name)
        .consumes(Topic)
        .concurrency(3)
        .run(async ({ Topic: { n } }, { stream, runId }) => {
          for (let i = 0; i < 60; i++) {
            const piece = `${name} says ${"word ".repeat(random(20))}🍕 on ${n}. `;
            // Also in the middle of a pizza.
            const cut = random(piece.length);
            stream(piece.slice(0, cut));
            stream(piece.slice(cut));
            this.streamed.set(runId, (this.streamed.get(runId) ?? "") + piece);
            await turn();
          }
        });
    }
    this.#publishers = [0, 1].map(async () => {
      for (let n = 0; this.#goesOn; n++) {
        await this.flock.publish(Topic({ n }));
        while (this.flock.stats().runs.queued > 20) await turn();
      }
    });
  }

  /** Stops publishing and waits for active runs. */
  async rest(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#publishers);
    await this.flock.runUntilIdle();
  }

  /** Resolves when the log has grown by a number of events. */
  async grows(events: number): Promise<void> {
    const until = this.flock.log.head + events;
    while (this.flock.log.head < until) await turn();
  }

  /** The events of the log except stream chunks. */
  async others(): Promise<FlockEvent[]> {
    const { log } = this.flock;
    const events: FlockEvent[] = [];
    for (let at = 0; at < log.head; ) {
      const batch = await log.read(at, log.head, undefined, 1_000_000);
      for (const text of textsOf(batch.frames)) events.push(JSON.parse(text));
      at = batch.seq;
    }
    return events.filter(({ type }) => type !== "streaming_output");
  }
}

/** The platform's WebSocket with connections that break after some messages. */
class Fickle extends PlainWebSocket {
  static breaks = 0;

  constructor(url: string | URL) {
    super(url);
    let left = 1 + random(1_500);
    this.on("message", () => {
      if (--left > 0) return;
      Fickle.breaks += 1;
      this.terminate();
    });
  }
}

describe("switching from the stored log to memory loses and repeats nothing", () => {
  it("for clients that reconnect repeatedly, in the middle of streams, near or far behind", async () => {
    await using folder = await temporaryFolder();
    const busy = await BusyFlock.open(join(folder.path, "flock.db"));
    await using server = await startServer({ flock: busy.flock });

    const readers = Array.from({ length: 4 }, () => new TextReader(server.ws()));
    const reading = readers.map(async (reader) => {
      for (let visit = 0; visit < VISITS; visit++) {
        const socket = await reader.connect();
        if (visit % 3 === 0) {
          // A client that pauses reading falls behind while connected.
          socket.pause();
          await busy.grows(random(2_000));
          socket.resume();
        }
        const enough = reader.seq + 1 + random(1_500);
        await reader.until(() => reader.seq >= enough);
        reader.leave();
        await busy.grows(random(3) === 0 ? random(3_000) : random(50));
      }
      await reader.connect();
    });

    const listeners = Array.from({ length: 3 }, () => {
      const texts = new Map<string, string>();
      const others: FlockEvent[] = [];
      const problems: unknown[] = [];
      const client = connect(server.ws(), {
        since: 0,
        backoff: { minMs: 1, maxMs: 40 },
        WebSocket: Fickle as unknown as typeof WebSocket,
      });
      client.on("gap", (gap) => void problems.push(gap));
      client.on("event", (event) => {
        if (event.type !== "streaming_output") {
          others.push(event);
          return;
        }
        const text = texts.get(event.run_id) ?? "";
        // The client has removed known events: chunks are consecutive.
        if (event.offset !== text.length) problems.push(event);
        texts.set(event.run_id, text + event.content);
      });
      return { client, texts, others, problems };
    });

    await Promise.all(reading);
    while (Fickle.breaks < VISITS * listeners.length) await turn();
    await busy.rest();
    const { head } = busy.flock.log;
    const others = await busy.others();
    for (const reader of readers) {
      await reader.until(() => reader.seq >= head);
      expect(differences(reader.texts, busy.streamed)).toEqual([]);
      expect(reader.others).toEqual(others);
      reader.leave();
    }
    for (const { client, texts, others: heard, problems } of listeners) {
      while ((client.seq ?? 0) < head) await turn();
      client.close();
      expect(problems).toEqual([]);
      expect(differences(texts, busy.streamed)).toEqual([]);
      expect(heard).toEqual(others);
    }
    // Otherwise nothing would have been read from the file.
    expect(busy.flock.log.buffer.oldest).toBeGreaterThan(head / 2);
  });
});

/** Returns the runs with different texts. */
function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((run) => a.get(run) !== b.get(run));
}
