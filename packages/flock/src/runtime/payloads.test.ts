import { join } from "node:path";
import type { FlockEvent } from "@flock-ts/protocol";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../tests/support/folder.ts";
import { type AnyArtifactType, artifact, Flock, history, memoryStore } from "../index.ts";
import { textsOf } from "../log/frame.ts";
import { sqliteStore } from "../store/sqlite/index.ts";
import { expectPublished } from "../testing/index.ts";

const List = artifact("List", z.object({ items: z.array(z.number()) }));
const Sum = artifact("Sum", z.object({ n: z.number() }));
const silent = pino({ level: "silent" });
const fast = { attempts: 2, delay: 0 };

const date = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (at) => at.toISOString(),
});
const big = z.codec(z.string(), z.bigint(), { decode: BigInt, encode: String });
const tally = z.codec(z.array(z.tuple([z.string(), z.number()])), z.map(z.string(), z.number()), {
  decode: (entries) => new Map(entries),
  encode: (map) => [...map],
});
const Rich = artifact("Rich", z.object({ at: date, big, tally }));
const rich = { at: "2026-01-01T00:00:00.000Z", big: "12345678901234567890", tally: [["a", 1]] as [string, number][] };
const decoded = { at: new Date(rich.at), big: 12345678901234567890n, tally: new Map([["a", 1]]) };

async function publishedIn(flock: Flock) {
  const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)]
    .map((text): FlockEvent => JSON.parse(text))
    .filter((event) => event.type === "artifact_published");
}

describe("payloads are read-only", () => {
  it("an agent that changes its input fails where it does so, and no other reader sees a change", async () => {
    await using flock = new Flock({ logger: silent });
    const seen: number[][] = [];
    flock
      .agent("sorter")
      .consumes(List)
      .retry(fast)
      .run(({ List: { items } }) => {
        seen.push([...items]);
        items.sort();
      });
    flock
      .agent("reader")
      .consumes(List)
      .run(({ List: { items } }) => void seen.push([...items]));
    await flock.publish(List({ items: [3, 1, 2] }));
    await flock.runUntilIdle();
    expect(seen).toEqual([
      [3, 1, 2],
      [3, 1, 2],
      [3, 1, 2],
    ]);
    const [letter] = await flock.deadLetters();
    expect(letter?.error).toMatchObject({ name: "TypeError", message: expect.stringMatching(/read only|read-only/) });
    expect(await flock.store.getByType(List)).toEqual([{ items: [3, 1, 2] }]);
  });

  it("a draft that is changed after it was made throws there, and what is published is what was validated", async () => {
    await using flock = new Flock({ logger: silent });
    const draft = List({ items: [1] });
    expect(() => draft.payload.items.push(Number.NaN)).toThrow(TypeError);
    const { artifact: published } = await flock.publish(draft);
    expect(() => Object.assign(published, { payload: 1 })).toThrow(TypeError);
    expect(await flock.store.getByType(List)).toEqual([{ items: [1] }]);
  });

  it("inputs, batches and the artifacts of a context are read-only, too", async () => {
    await using flock = new Flock({ logger: silent });
    const thrown: unknown[] = [];
    const attempt = (change: () => void) => {
      try {
        change();
      } catch (error) {
        thrown.push(error);
      }
    };
    flock
      .agent("batcher")
      .consumes(List, { batch: { size: 2 } })
      .run((inputs, { artifacts }) => {
        attempt(() => (inputs.List as unknown[]).reverse());
        attempt(() => Object.assign(inputs, { List: [] }));
        attempt(() => (artifacts as unknown[]).pop());
        attempt(() => (artifacts[0]!.tags as string[]).push("x"));
      });
    await flock.publish([List({ items: [1] }), List({ items: [2] })], { tags: ["t"] });
    await flock.runUntilIdle();
    expect(thrown).toEqual(Array.from({ length: 4 }, () => expect.any(TypeError)));
  });

  it("what the memory store returns cannot be changed", async () => {
    await using flock = new Flock();
    const { artifactId } = await flock.publish(List({ items: [1] }));
    const stored = await flock.store.get(artifactId);
    expect(() => Object.assign(stored as object, { payload: 2 })).toThrow(TypeError);
    expect((await flock.store.get(artifactId))?.payload).toEqual({ items: [1] });
  });
});

describe("decoded values that cannot be frozen", () => {
  const bytes = z.codec(z.base64(), z.instanceof(Uint8Array), {
    decode: (text) => new Uint8Array(Buffer.from(text, "base64")),
    encode: (value) => Buffer.from(value).toString("base64"),
  });
  const Scan = artifact("Scan", z.object({ bytes }));

  it("belong to one attempt and one candidate", async () => {
    await using flock = new Flock({ logger: silent });
    const seen: (number | undefined)[] = [];
    flock
      .agent("reader")
      .consumes(Scan)
      .publishes(Sum)
      .retry(fast)
      .bestOf(3, () => 1)
      .run(({ Scan: { bytes } }, { attempt }) => {
        seen.push(bytes[0]);
        bytes[0] = 9;
        if (attempt === 1) throw new Error("again");
        return Sum({ n: 1 });
      });
    await flock.publish(Scan({ bytes: "AAAA" }));
    await flock.runUntilIdle();
    expect(seen).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("are what `context.publish` resolves to, as its type says", async () => {
    await using flock = new Flock({ logger: silent });
    const published: unknown[] = [];
    flock
      .agent("scanner")
      .consumes(List)
      .publishes(Scan)
      .run(async (_, ctx) => {
        for (const key of [undefined, "once"])
          published.push((await ctx.publish(Scan({ bytes: "AAAA" }), { ...(key ? { key } : {}) }))?.payload);
        return [];
      });
    await flock.publish(List({ items: [] }));
    await flock.runUntilIdle();
    expect(published).toEqual([{ bytes: new Uint8Array(3) }, { bytes: new Uint8Array(3) }]);
  });
});

it("an artifact type can have the name of a method that all objects have", async () => {
  await using flock = new Flock({ logger: silent });
  const Odd = artifact("constructor", z.object({ n: z.number() }));
  const seen: unknown[] = [];
  flock
    .agent("reader")
    .consumes(Odd, Sum)
    .run((inputs) => void seen.push(inputs));
  await flock.publish([Odd({ n: 1 }), Sum({ n: 2 })]);
  await flock.runUntilIdle();
  expect(seen).toEqual([{ constructor: { n: 1 }, Sum: { n: 2 } }]);
  expect(() => artifact("__proto__", z.object({}))).toThrow(/`__proto__` is reserved/);
});

describe("a payload is the same at publish, in each attempt, after a restart, and on the blackboard", () => {
  let count = 0;
  const newId = () => `id ${++count}`;
  /** Published, attempted twice, made a dead letter, and retried by the next process. */
  async function readingsOf(declare: () => AnyArtifactType, payload: unknown): Promise<unknown[]> {
    await using folder = await temporaryFolder();
    const open = () => Flock.open({ store: sqliteStore(join(folder.path, "flock.db")), logger: silent });
    const seen: unknown[] = [];
    const listen = (flock: Flock, type: AnyArtifactType) =>
      void flock
        .agent("reader")
        .consumes(type)
        .retry(fast)
        .run((inputs) => {
          seen.push((inputs as Record<string, unknown>)[type.typeName]);
          throw new Error("again");
        });
    {
      await using flock = await open();
      const type = declare();
      listen(flock, type);
      const draft = type.parse(payload);
      seen.push(draft.payload);
      await flock.publish(draft);
      await flock.runUntilIdle();
      seen.push(...(await flock.store.getByType(type)));
    }
    await using flock = await open();
    const type = declare();
    listen(flock, type);
    const [letter] = await flock.deadLetters();
    await (await flock.retryDeadLetter(letter?.id ?? "")).done;
    await flock.runUntilIdle();
    seen.push(...(await flock.store.getByType(type)));
    return seen;
  }

  it.each([
    [
      "a generated default next to a transformation",
      { text: "abc" },
      { text: 3, id: "id 1", tags: [{ id: "id 2" }] },
      {
        text: z.string().transform((text) => text.length),
        id: z.string().default(newId),
        tags: z.array(z.object({ id: z.string().prefault(newId).readonly() })).default([{ id: "id 2" }]),
      },
    ],
    [
      "a generated default next to a codec",
      { at: rich.at },
      { at: decoded.at, id: "id 1" },
      {
        at: date,
        id: z.string().default(newId),
      },
    ],
    [
      "a codec that is no exact inverse",
      { n: 1 },
      { n: 3 },
      {
        n: z.codec(z.number(), z.number(), { decode: (n) => n + 1, encode: (n) => n }),
      },
    ],
    ["texts that validation trims", { text: " A " }, { text: "a" }, { text: z.string().trim().toLowerCase() }],
  ] as const)("with %s", async (_name, payload, expected, shape) => {
    count = 0;
    const readings = await readingsOf(() => artifact("Thing", z.object(shape as z.ZodRawShape)), payload);
    expect(readings.length).toBeGreaterThanOrEqual(6);
    for (const reading of readings) expect(reading).toEqual(expected);
  });

  it.each([
    ["a transformation", z.object({ id: z.string().transform((id) => id + newId()) })],
    [
      "a preprocessing step",
      z.preprocess((input) => ({ ...(input as object), id: newId() }), z.object({ id: z.string() })),
    ],
    ["a validation that rewrites what it has rewritten", z.object({ id: z.string().overwrite((id) => `${id}!`) })],
    [
      "a generated catch",
      z.object({
        id: z.number().catch(() => ++count),
        n: z
          .string()
          .optional()
          .transform((n) => n),
      }),
    ],
  ])("or refused at publish, with %s that is not pure", (_name, schema) => {
    const type: AnyArtifactType = artifact("Thing", schema);
    expect(() => type.parse({ id: "a" })).toThrow(
      /Invalid schema of artifact type `Thing`: it returns another payload/,
    );
  });
});

describe("payloads with dates, bigints and maps", () => {
  it.each([["memory"], ["SQLite"]] as const)(
    "are the same at the first attempt, a retry, a restart, a dead letter and in getByType (%s)",
    async (kind) => {
      await using folder = await temporaryFolder();
      const file = () => (kind === "memory" ? memoryStore() : sqliteStore(join(folder.path, "flock.db")));
      const seen: unknown[] = [];
      const open = async (fails: boolean) => {
        const flock = await Flock.open({ store: file(), logger: silent });
        flock
          .agent("reader")
          .consumes(Rich, { where: ({ payload }) => payload.at instanceof Date && payload.tally.has("a") })
          .retry(fast)
          .run(({ Rich: payload }) => {
            seen.push(payload);
            if (fails) throw new Error("not yet");
          });
        return flock;
      };
      const first = await open(true);
      await first.publish(Rich(rich));
      await first.runUntilIdle();
      expect(seen).toEqual([decoded, decoded]);
      const [letter] = await first.deadLetters();
      expect(letter?.artifacts[0]?.payload).toEqual(rich);
      const { done } = await first.retryDeadLetter(letter!.id);
      await done;
      expect(await first.store.getByType(Rich)).toEqual([decoded]);
      expect((await publishedIn(first)).map((event) => "payload" in event && event.payload)).toEqual([rich]);
      await first.pause("reader");
      await first.publish(Rich(rich));
      await first.shutdown();
      if (kind === "memory") return;
      seen.length = 0;
      await using second = await open(false);
      await second.resume("reader");
      await second.runUntilIdle();
      expect(seen).toEqual([decoded]);
      expect(await second.store.getByType(Rich)).toEqual([decoded, decoded]);
      const { artifacts } = await second.store.query({ types: ["Rich"] });
      expect(artifacts.map(({ payload }) => payload)).toEqual([rich, rich]);
    },
  );

  it("reach join keys, group conditions and history decoded", async () => {
    await using flock = new Flock({ logger: silent });
    const seen: unknown[] = [];
    flock
      .agent("pair")
      .consumes(Rich, Rich, {
        join: { by: ({ payload }) => payload.big.toString() },
        whereGroup: ({ Rich: [one, other] }) => one.at.getTime() === other.at.getTime(),
      })
      .run(({ Rich: pair }) => void seen.push(pair));
    await flock.publish(Rich(rich));
    await flock.publish(Rich(rich));
    await flock.runUntilIdle();
    expect(seen).toEqual([[decoded, decoded]]);
    const { payload } = await expectPublished(flock, Rich, { where: (one) => one.payload.tally.has("a") });
    expect(payload).toEqual(decoded);
  });

  it("reach functions through history, where an artifact of an earlier schema is left out", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "flock.db");
    const before = await Flock.open({ store: sqliteStore(path) });
    await before.publish([artifact("Rich", z.object({ old: z.boolean() }))({ old: true })], { correlationId: "w" });
    await before.shutdown();
    await using flock = await Flock.open({ store: sqliteStore(path), logger: silent });
    const seen: unknown[] = [];
    flock
      .agent("reader")
      .consumes(Sum)
      .context({ earlier: history({ types: [Rich] }) })
      .run((_inputs, { given }) => void seen.push(given.earlier.map(({ payload }) => payload)));
    await flock.publish(Rich(rich), { correlationId: "w" });
    await flock.publish(Sum({ n: 1 }), { correlationId: "w" });
    await flock.runUntilIdle();
    expect(seen).toEqual([[decoded]]);
  });
});

describe("a deploy that changes a schema", () => {
  const Old = artifact("Name", z.object({ name: z.string() }));
  const New = artifact("Name", z.object({ first: z.string() }));
  const Upgraded = artifact("Name", z.object({ first: z.string() }), {
    upgrade: ({ name }: { name: string }) => ({ first: name.split(" ")[0] as string }),
  });

  async function withWorkQueued(path: string) {
    const before = await Flock.open({ store: sqliteStore(path), logger: silent });
    before
      .agent("greeter")
      .consumes(Old)
      .run(() => {});
    await before.pause("greeter");
    await before.publish(Old({ name: "Ada Lovelace" }));
    await before.shutdown();
  }

  it("refuses queued work that no longer fits: a dead letter `invalid_payload` that names the field", async () => {
    await using folder = await temporaryFolder();
    await withWorkQueued(join(folder.path, "flock.db"));
    await using flock = await Flock.open({ store: sqliteStore(join(folder.path, "flock.db")), logger: silent });
    const seen: unknown[] = [];
    flock
      .agent("greeter")
      .consumes(New)
      .retry(fast)
      .run(({ Name }) => void seen.push(Name));
    await flock.resume("greeter");
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    const [letter] = await flock.deadLetters();
    expect(letter).toMatchObject({ attempts: 1, error: { name: "invalid_payload" } });
    expect(letter?.error.message).toMatch(/Invalid payload of `Name`: first: /);
    await expect(flock.store.getByType(New)).rejects.toMatchObject({ code: "invalid_payload" });
  });

  it("upgrades queued work, what is read, and a dead letter that is retried", async () => {
    await using folder = await temporaryFolder();
    await withWorkQueued(join(folder.path, "flock.db"));
    const seen: unknown[] = [];
    const open = async (fails: boolean) => {
      const flock = await Flock.open({ store: sqliteStore(join(folder.path, "flock.db")), logger: silent });
      flock
        .agent("greeter")
        .consumes(Upgraded)
        .run(({ Name }) => {
          seen.push(Name);
          if (fails) throw new Error("not yet");
        });
      return flock;
    };
    const flock = await open(true);
    await flock.resume("greeter");
    await flock.runUntilIdle();
    expect(await flock.store.getByType(Upgraded)).toEqual([{ first: "Ada" }]);
    await flock.shutdown();
    await using again = await open(false);
    const [letter] = await again.deadLetters();
    await (await again.retryDeadLetter(letter!.id)).done;
    expect(seen).toEqual([{ first: "Ada" }, { first: "Ada" }]);
  });

  it("refuses queued work for an agent that now consumes other types: a dead letter `wrong_inputs`", async () => {
    await using folder = await temporaryFolder();
    await withWorkQueued(join(folder.path, "flock.db"));
    await using flock = await Flock.open({ store: sqliteStore(join(folder.path, "flock.db")), logger: silent });
    const seen: unknown[] = [];
    flock
      .agent("greeter")
      .consumes(Sum)
      .run((inputs) => void seen.push(inputs));
    await flock.resume("greeter");
    await flock.runUntilIdle();
    expect(seen).toEqual([]);
    expect((await flock.deadLetters())[0]?.error).toMatchObject({
      name: "wrong_inputs",
      message: expect.stringMatching(/`greeter` did not run: it now consumes Sum, and was triggered by Name/),
    });
  });
});

it("a dead letter that is retried fills the same gate as before, in memory, too", async () => {
  await using flock = new Flock({ logger: silent });
  const seen: unknown[] = [];
  let fails = true;
  flock
    .agent("reader")
    .consumes(Sum)
    .consumes(Sum, { batch: { size: 1 } })
    .run((inputs) => {
      if (fails) throw new Error("not yet");
      seen.push(inputs);
    });
  await flock.publish(Sum({ n: 1 }));
  await flock.runUntilIdle();
  fails = false;
  for (const { id } of await flock.deadLetters()) await (await flock.retryDeadLetter(id)).done;
  expect(seen).toEqual(expect.arrayContaining([{ Sum: { n: 1 } }, { Sum: [{ n: 1 }] }]));
});
