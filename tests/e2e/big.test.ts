import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { artifact, Flock } from "flock-ts";
import { ArtifactsComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../packages/flock/src/core/clock.ts";
import { Housekeeping } from "../../packages/flock/src/store/sqlite/housekeeping.ts";
import { openFile } from "../../packages/flock/src/store/sqlite/open.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { RecordingSocket } from "../support/recording-socket.ts";
import { startServer } from "../support/server.ts";
import { TextReader } from "../support/text-reader.ts";

const MIB = 1024 * 1024;
const Book = artifact("Book", z.object({ text: z.string() }));
const Note = artifact("Note", z.object({ n: z.int() }));
const components = () => [new WebSocketServerComponent(), new ArtifactsComponent()];

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Returns the memory of the process after garbage collection, in bytes. */
async function memory(): Promise<number> {
  // Sockets and streams release their buffers a turn or two after they end.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("artifact of 50 MiB", () => {
  // ASCII letters: other characters would take two bytes each in memory.
  const book = () => ({ text: `${"x".repeat(50 * MIB)} The end` });
  const bytes = Buffer.byteLength(JSON.stringify(book()));

  it.for(["memory", "a file"])(
    "is published into %s, announced by its size and read completely over HTTP, with no other event lost",
    async (where) => {
      await using folder = await temporaryFolder();
      const flock =
        where === "a file" ? await Flock.open({ store: sqliteStore(join(folder.path, "flock.db")) }) : new Flock();
      flock.register(Book, Note);
      await using server = await startServer({ flock, components: components() });
      await using viewer = await server.connect();
      const before = await memory();
      await Promise.all([
        flock.publish(Note({ n: 1 })),
        flock.publish(Book(book()), { idempotencyKey: "the book" }),
        flock.publish(Note({ n: 2 })),
      ]);
      await flock.publish(Note({ n: 3 }));
      const announced = await viewer.next("artifact_published", ({ artifact_type }) => artifact_type === "Book");
      expect(announced).not.toHaveProperty("payload");
      expect(announced).toMatchObject({ payload_bytes: bytes });
      await viewer.next("artifact_published", ({ payload }) => (payload as { n: number } | undefined)?.n === 3);
      expect(viewer.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      // In a separate function, so that nothing here keeps it alive when memory is measured.
      const isWhole = async () => {
        const response = await server.get(`/api/v1/plugin/artifacts/${announced.artifact_id}`);
        const { payload } = (await response.json()) as { payload: { text: string } };
        return payload.text === book().text;
      };
      expect(await isWhole()).toBe(true);
      // A blackboard in memory keeps it exactly once; with a file, the memory is released.
      const kept = where === "a file" ? 0 : 50 * MIB;
      expect((await memory()) - before).toBeLessThan(kept + 25 * MIB);
    },
  );

  it("is rejected as a request body with the limit in the error, unless `maxBodyBytes` is higher", async () => {
    const flock = new Flock().register(Book);
    await using _ = flock;
    const strict = await flock.serve({ components: components(), port: 0 });
    const generous = await flock.serve({ components: components(), port: 0, maxBodyBytes: 64 * MIB });
    const body = JSON.stringify({ artifact_type: "Book", payload: book() });
    const post = (url: string) =>
      fetch(`${url}/api/v1/plugin/artifacts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    const refused = await post(strict.url);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({
      error: {
        code: "message_too_big",
        message: `Body too large: the limit is ${MIB} bytes (\`maxBodyBytes\`). Send less.`,
      },
    });
    const accepted = await post(generous.url);
    expect(accepted.status).toBe(201);
    const { artifact_id } = (await accepted.json()) as { artifact_id: string };
    expect((await flock.store.get(artifact_id))?.payload).toEqual(book());
  });
});

describe("client message", () => {
  it("may have exactly `maxMessageBytes`; one byte more closes its connection with 1009 and affects no other client", async () => {
    const maxMessageBytes = 70_000;
    await using server = await startServer({ components: [new WebSocketServerComponent({ maxMessageBytes })] });
    await using other = await server.connect();
    await using client = await server.connect();
    const ping = (id: string, size: number) => JSON.stringify({ id, type: "ping" }).padEnd(size);
    client.send(ping("fits", maxMessageBytes));
    expect(await client.next("reply")).toMatchObject({ id: "fits", ok: true });
    client.send(ping("too big", maxMessageBytes + 1));
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect(await other.command({ id: 1, type: "ping" })).toMatchObject({ ok: true });
    server.flock
      .agent("late")
      .consumes(Note)
      .run(() => {});
    await other.next("agent_registered");
  });
});

describe("run that streams 20 MB of text", () => {
  // Five code units, of which two are one character: arbitrary cuts would split it.
  const text = "ab🍕c".repeat(4_000_000);
  const SMALL = 99;
  let folder: TemporaryFolder;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterAll(() => folder[Symbol.asyncDispose]());

  async function writing(file: string): Promise<Flock> {
    const flock = await Flock.open({ store: sqliteStore(join(folder.path, file)), logBufferBytes: MIB });
    flock
      .agent("writer")
      .consumes(Note)
      .run(async ({ Note: { n: size } }, { stream }) => {
        for (let start = 0; start < text.length; start += size) {
          stream(text.slice(start, start + size));
          if (start % (2_000 * size) === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      });
    return flock;
  }

  it.for([
    ["one huge piece", text.length, text.length / 16_384],
    ["200,000 small ones", SMALL, text.length / SMALL],
  ] as const)(
    "in %s: reaches every client exactly, and the file as a few large events",
    async ([name, size, least]) => {
      const flock = await writing(`${name}.db`);
      const { run, middle } = await (async () => {
        await using server = await startServer({ flock });
        const [restless, slow] = [new TextReader(server.ws()), new TextReader(server.ws())];
        const stalled = await slow.connect();
        stalled.pause();
        await restless.connect();
        await flock.publish(Note({ n: size }));
        // Connects and disconnects in the middle of the stream.
        for (let visits = 1; restless.complete.size === 0; visits++) {
          await restless.until(() => restless.pieces >= (visits * least) / 5 || restless.complete.size > 0);
          restless.leave();
          await restless.connect();
        }
        stalled.resume();
        await slow.until(() => slow.complete.size > 0);
        for (const reader of [restless, slow]) {
          expect([...reader.texts.values()].every((streamed) => streamed === text)).toBe(true);
          expect(reader.texts.size).toBe(1);
          reader.leave();
        }
        return { run: [...slow.texts.keys()][0] as string, middle: Math.round(slow.seq / 2) };
      })();

      const { db, close } = openFile(join(folder.path, `${name}.db`));
      const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
      const housekeeping = new Housekeeping(db, everything, systemClock);
      while (housekeeping.step());
      close();

      await using server = await startServer({ flock: await writing(`${name}.db`) });
      await using again = await RecordingSocket.open(server.ws(`/plugin/ws?since=0&run_id=${run}`));
      await again.next("caught_up");
      const merged = again.all("streaming_output");
      expect(merged.length).toBeLessThan(text.length / 30_000);
      expect(merged.map(({ content }) => content).join("") === text).toBe(true);
      // A client that was in the middle continues there, in events that start before it.
      await using half = await RecordingSocket.open(server.ws(`/plugin/ws?since=${middle}&run_id=${run}`));
      await half.next("caught_up");
      const [first, ...rest] = half.all("streaming_output");
      expect(rest.length).toBeGreaterThan(0);
      expect(
        text.slice(first?.offset) ===
          half
            .all("streaming_output")
            .map(({ content }) => content)
            .join(""),
      ).toBe(true);
    },
  );
});
