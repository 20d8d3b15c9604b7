import type { FlockEvent } from "@flock-ts/protocol";
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../../../tests/support/folder.ts";
import { artifact, Flock, type RunContext, type StoredArtifact, visibility } from "../../index.ts";
import { textsOf } from "../../log/frame.ts";
import { AgentComponent, cache } from "../../middleware/index.ts";
import { memoryStore } from "../../store/memory/store.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import type { Store } from "../../store/store.ts";
import { fakeClock } from "../../testing/fake-clock.ts";

const Topic = artifact("Topic", z.object({ title: z.string() }));
const Outline = artifact("Outline", z.object({ title: z.string() }));
const Article = artifact("Article", z.object({ title: z.string() }));
const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());
let files = 0;
const topic = Topic({ title: "Truffles" });

async function eventsOf<T extends FlockEvent["type"]>(flock: Flock, type: T) {
  const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
  return [...textsOf(frames)]
    .map((text): FlockEvent => JSON.parse(text))
    .filter((event): event is Extract<FlockEvent, { type: T }> => event.type === type);
}

/** A promise that is resolved from outside. */
const gate = () => Promise.withResolvers<void>();

/** Lets what was set off happen, and be written. */
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

function writer(flock: Flock) {
  return flock.agent("writer").consumes(Topic).publishes(Outline, Article);
}

describe.each<[string, () => Store]>([
  ["in memory", () => memoryStore()],
  ["in a file", () => sqliteStore(`${folder.path}/${++files}.db`)],
])("context.publish, %s", (_, store) => {
  it("publishes before the run ends, in the same workflow, and triggers other agents", async () => {
    await using flock = await Flock.open({ store: store() });
    const reviewed = gate();
    writer(flock).run(async ({ Topic: { title } }, { publish }) => {
      const outline = await publish(Outline({ title }));
      expect(outline).toMatchObject({ type: "Outline", producedBy: "writer", payload: { title } });
      expect(outline?.seq).toBeGreaterThan(0);
      await reviewed.promise;
      return Article({ title });
    });
    flock
      .agent("reviewer")
      .consumes(Outline)
      .run(() => reviewed.resolve());
    const { correlationId } = await flock.publish(topic);
    await flock.runUntilIdle();
    const [outline, article] = await Promise.all([Outline, Article].map((type) => stored(flock, type.typeName)));
    expect(outline).toMatchObject([{ correlationId, producedBy: "writer", runId: expect.any(String) }]);
    expect(article).toMatchObject([{ correlationId, runId: outline?.[0]?.runId }]);
    const [started] = (await eventsOf(flock, "agent_execution_started")).filter(
      ({ agent_id }) => agent_id === "writer",
    );
    expect(outline?.[0]?.seq).toBeGreaterThan(started?.seq ?? Number.POSITIVE_INFINITY);
    const ended = (await eventsOf(flock, "agent_execution_completed")).find(({ agent_id }) => agent_id === "writer");
    expect(ended).toMatchObject({ status: "success", produced_artifacts: [outline?.[0]?.id, article?.[0]?.id] });
  });

  it("keeps what was published when the run fails later, and reports it", async () => {
    await using flock = await Flock.open({ store: store() });
    writer(flock).run(async ({ Topic: { title } }, context) => {
      await context.publish(Outline({ title }));
      expect(context.published).toMatchObject([{ type: "Outline" }]);
      throw new Error("out of ink");
    });
    const { done } = await flock.invoke("writer", [topic]);
    const end = await done;
    const outlines = await stored(flock, "Outline");
    expect(outlines).toHaveLength(1);
    expect(end).toMatchObject({ status: "error", produced: [outlines[0]?.id] });
  });

  it("publishes again when the work is attempted again, unless it has a key", async () => {
    const clock = fakeClock();
    await using flock = await Flock.open({ store: store(), clock });
    const ids = new Set<string | undefined>();
    writer(flock)
      .retry({ attempts: 3, delay: 10 })
      .run(async (_, { publish, attempt }) => {
        ids.add((await publish(Outline({ title: `attempt ${attempt}` }), { key: "outline" }))?.id);
        await publish(Article({ title: `attempt ${attempt}` }));
        if (attempt < 3) throw new Error("out of ink");
        return [];
      });
    await flock.publish(topic);
    for (let i = 0; i < 3; i++) {
      await turns();
      await clock.advance(100);
    }
    await flock.runUntilIdle();
    expect(ids.size).toBe(1);
    expect(await flock.store.getByType(Outline)).toEqual([{ title: "attempt 1" }]);
    expect(await flock.store.getByType(Article)).toHaveLength(3);
  });

  it("publishes once under a key within a run, too", async () => {
    await using flock = await Flock.open({ store: store() });
    let ids: (string | undefined)[] = [];
    writer(flock).run(async ({ Topic: { title } }, { publish }) => {
      const both = [1, 2].map((n) => publish(Outline({ title: `${title} ${n}` }), { key: "outline" }));
      ids = (await Promise.all(both)).map((one) => one?.id);
      await expect(publish(Article({ title }), { key: "outline" })).rejects.toMatchObject({ code: "conflict" });
      return [];
    });
    await flock.invoke("writer", [topic]).then(({ done }) => done);
    expect(new Set(ids).size).toBe(1);
    expect(await flock.store.getByType(Outline)).toEqual([{ title: "Truffles 1" }]);
    expect(await flock.store.getByType(Article)).toEqual([]);
  });

  it("has keys that belong to the work: other work with the same key publishes its own", async () => {
    await using flock = await Flock.open({ store: store() });
    writer(flock).run(async ({ Topic: { title } }, { publish }) => {
      await publish(Outline({ title }), { key: "outline" });
      return [];
    });
    await flock.publish([topic, Topic({ title: "Capers" })]);
    await flock.runUntilIdle();
    expect((await flock.store.getByType(Outline)).map(({ title }) => title).sort()).toEqual(["Capers", "Truffles"]);
  });

  it("holds a draft until the end: it is published with the run, or not at all", async () => {
    await using flock = await Flock.open({ store: store() });
    let isFailing = true;
    writer(flock).run(async ({ Topic: { title } }, context) => {
      expect(context.publish(Outline({ title }), { atEnd: true })).toBeUndefined();
      await turns();
      expect(await flock.store.getByType(Outline)).toEqual([]);
      if (isFailing) throw new Error("out of ink");
      return Article({ title });
    });
    expect(await (await flock.invoke("writer", [topic])).done).toMatchObject({ status: "error", produced: [] });
    expect(await flock.store.getByType(Outline)).toEqual([]);
    isFailing = false;
    expect(await (await flock.invoke("writer", [topic])).done).toMatchObject({ status: "success" });
    const [outline, article] = [await stored(flock, "Outline"), await stored(flock, "Article")];
    expect([outline.length, article.length]).toEqual([1, 1]);
  });

  it("keeps the end of a run waiting for what it publishes without awaiting it", async () => {
    await using flock = await Flock.open({ store: store() });
    writer(flock).run(({ Topic: { title } }, { publish }) => {
      void publish(Outline({ title }));
      return Article({ title });
    });
    const { produced } = await (await flock.invoke("writer", [topic])).done;
    expect(produced).toHaveLength(2);
    const ended = (await eventsOf(flock, "agent_execution_completed")).at(-1);
    expect((await stored(flock, "Outline"))[0]?.seq).toBeLessThan(ended?.seq ?? 0);
  });

  it("ends with the run: a cancelled run publishes nothing more, and its workflow has what it had", async () => {
    await using flock = await Flock.open({ store: store() });
    const published = gate();
    const refused = Promise.withResolvers<unknown>();
    writer(flock).run(async ({ Topic: { title } }, { publish, signal }) => {
      await publish(Outline({ title }));
      published.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      refused.resolve(await publish(Article({ title })).catch((error: unknown) => error));
      return [];
    });
    const { runId, done } = await flock.invoke("writer", [topic]);
    await published.promise;
    await flock.cancel({ runId });
    const [outline] = await stored(flock, "Outline");
    expect(await done).toMatchObject({ status: "cancelled", produced: [outline?.id] });
    expect(await refused.promise).toMatchObject({ name: "RunStopped" });
    expect(await flock.store.getByType(Article)).toEqual([]);
  });

  it("is cancelled while it publishes: the run ends as cancelled, with what was committed", async () => {
    await using flock = await Flock.open({ store: store() });
    writer(flock).run(({ Topic: { title } }, { publish }) => {
      void publish(Outline({ title }));
      return Article({ title });
    });
    const { runId, done } = await flock.invoke("writer", [topic]);
    const { cancelled } = await flock.cancel({ runId });
    const { status, produced } = await done;
    // Whichever came first, the report and the blackboard agree.
    expect(status).toBe(cancelled === 1 ? "cancelled" : "success");
    const all = [...(await stored(flock, "Outline")), ...(await stored(flock, "Article"))];
    expect(all.map(({ id }) => id)).toEqual(produced);
  });

  it("refuses to publish after the end of the run", async () => {
    await using flock = await Flock.open({ store: store() });
    let kept: RunContext["publish"] | undefined;
    writer(flock).run((_, { publish }) => {
      kept = publish as RunContext["publish"];
      return [];
    });
    await (await flock.invoke("writer", [topic])).done;
    await expect(kept?.(Outline({ title: "late" }))).rejects.toMatchObject({ code: "run_ended" });
    expect(() => kept?.(Outline({ title: "late" }), { atEnd: true })).toThrow(/run \S+ has ended/);
    expect(await flock.store.getByType(Outline)).toEqual([]);
  });

  it("refuses to publish after the end of the function, also when it is first wanted then", async () => {
    class Late extends AgentComponent {
      readonly name = "late";
      context: RunContext | undefined;
      refused: Promise<unknown> | undefined;
      override error(_error: unknown, run: RunContext): undefined {
        this.context = run;
        this.refused = run.publish(Outline({ title: "late" })).catch((error) => error);
      }
    }
    const late = new Late();
    await using flock = await Flock.open({ store: store() });
    writer(flock)
      .use(late)
      .run(() => {
        throw new Error("failed");
      });
    const { produced } = await (await flock.invoke("writer", [topic])).done;
    expect(await late.refused).toMatchObject({ code: "run_ended" });
    await expect(late.context?.publish(Outline({ title: "later" }))).rejects.toMatchObject({ code: "run_ended" });
    expect(produced).toEqual([]);
    expect(await flock.store.getByType(Outline)).toEqual([]);
  });
});

async function stored(flock: Flock, type: string): Promise<readonly StoredArtifact[]> {
  return (await flock.store.query({ types: [type] })).artifacts;
}

describe("context.publish", () => {
  it("survives a restart: under its key, the next process finds what was published", async () => {
    const file = `${folder.path}/${++files}.db`;
    const attempts: number[] = [];
    const open = async (isFirst: boolean) => {
      const flock = await Flock.open({ store: sqliteStore(file) });
      const published = gate();
      writer(flock).run(async ({ Topic: { title } }, { publish, attempt }) => {
        attempts.push(attempt);
        await publish(Outline({ title }), { key: "outline" });
        published.resolve();
        if (isFirst) await new Promise(() => {});
        return Article({ title });
      });
      return { flock, published: published.promise };
    };
    const first = await open(true);
    await first.flock.publish(topic);
    await first.published;
    await first.flock.shutdown();
    const second = await open(false);
    await second.flock.runUntilIdle();
    expect(attempts).toEqual([1, 2]);
    expect(await second.flock.store.getByType(Outline)).toEqual([{ title: "Truffles" }]);
    expect(await second.flock.store.getByType(Article)).toEqual([{ title: "Truffles" }]);
    await second.flock.shutdown();
  });

  it("applies the rules of publishes: types, fanOut, where, validate and visibility", async () => {
    await using flock = new Flock();
    const errors: string[] = [];
    flock
      .agent("writer")
      .consumes(Topic)
      .publishes(Outline, {
        fanOut: { min: 1, max: 2 },
        where: ({ title }) => title !== "dull",
        validate: ({ title }) => title.length < 20 || "too long",
        visibility: visibility.labelled("press"),
      })
      .run(async (_, { publish }) => {
        const attempt = async (work: () => Promise<unknown>) => {
          try {
            await work();
          } catch (error) {
            errors.push((error as Error).message);
          }
        };
        await attempt(() => publish(Article({ title: "x" }) as never));
        await attempt(() => publish({ title: "no draft" } as never));
        await attempt(() => publish(Outline({ title: "far too long for an outline" })));
        expect(await publish(Outline({ title: "dull" }))).toBeUndefined();
        const outline = await publish(Outline({ title: "good" }));
        expect(outline?.visibility).toEqual(visibility.labelled("press"));
        await attempt(() => publish(Outline({ title: "one more" })));
        return [];
      });
    const { done } = await flock.invoke("writer", [topic]);
    expect(await done).toMatchObject({ status: "success" });
    expect(errors).toEqual([
      "Invalid output of agent `writer`: it published `Article`, but declares only `.publishes(Outline)`. Declare the type.",
      "Invalid output of agent `writer`: it published an object. Publish drafts, such as `Pizza({ … })`.",
      "too long",
      expect.stringMatching(/its run has published 2, and declares a `fanOut` of at most 2/),
    ]);
  });

  it("counts for fanOut together with what is returned", async () => {
    await using flock = new Flock();
    const numbers = [1, 2];
    flock
      .agent("writer")
      .consumes(Topic)
      .publishes(Outline, { fanOut: 3 })
      .run(async (_, { publish }) => {
        for (const n of numbers) await publish(Outline({ title: `${n}` }));
        return [Outline({ title: "returned" })];
      });
    expect(await (await flock.invoke("writer", [topic])).done).toMatchObject({ status: "success" });
    numbers.pop();
    const failed = await (await flock.invoke("writer", [topic])).done;
    expect(failed).toMatchObject({ status: "error", error: { message: expect.stringContaining("2 × `Outline`") } });
  });

  it("fails the run when it fails and nothing awaits it", async () => {
    await using flock = new Flock();
    writer(flock).run(async ({ Topic: { title } }, { publish }) => {
      void publish(Topic({ title }) as never);
      await turns();
      return Article({ title });
    });
    const { status, error } = await (await flock.invoke("writer", [topic])).done;
    expect({ status, error }).toMatchObject({ status: "error", error: { name: "wrong_output" } });
    expect(await flock.store.getByType(Article)).toEqual([]);
  });

  /** A flock whose store fails while `isFailing` is set. */
  async function onFlakyStore() {
    const store = memoryStore();
    const state = { isFailing: false };
    const open: Store["open"] = async (options) => {
      const session = await store.open(options);
      const commit = session.commit.bind(session);
      session.commit = (groups) => (state.isFailing ? Promise.reject(new Error("disk full")) : commit(groups));
      return session;
    };
    return { state, flock: await Flock.open({ store: { open } }) };
  }

  it("rejects when the store fails, and can be tried again: nothing of the run precedes its start", async () => {
    const { flock, state } = await onFlakyStore();
    await using _ = flock;
    const { runId, done } = await (async () => {
      writer(flock).run(async ({ Topic: { title } }, { publish }) => {
        // The commit of the run's start is under way, and fails.
        state.isFailing = true;
        await expect(publish(Outline({ title: "lost" }))).rejects.toThrow("disk full");
        state.isFailing = false;
        await publish(Outline({ title }));
        return Article({ title });
      });
      return flock.invoke("writer", [topic]);
    })();
    const { status, produced } = await done;
    expect(status).toBe("success");
    const outlines = await stored(flock, "Outline");
    expect(outlines).toMatchObject([{ runId, payload: { title: "Truffles" } }]);
    expect(produced).toEqual([outlines[0]?.id, (await stored(flock, "Article"))[0]?.id]);
    const starts = await eventsOf(flock, "agent_execution_started");
    expect(starts).toHaveLength(1);
    expect(starts[0]?.seq).toBeLessThan(outlines[0]?.seq ?? 0);
  });

  it("is reported by the run when the store fails and nothing awaits it: no success without its artifacts", async () => {
    const { flock, state } = await onFlakyStore();
    await using _ = flock;
    writer(flock).run(async ({ Topic: { title } }, { publish }) => {
      state.isFailing = true;
      void publish(Outline({ title }));
      await turns();
      state.isFailing = false;
      return Article({ title });
    });
    const end = await (await flock.invoke("writer", [topic])).done;
    expect(end).toMatchObject({
      status: "error",
      error: { message: expect.stringContaining("disk full") },
      produced: [],
    });
    expect([...(await stored(flock, "Outline")), ...(await stored(flock, "Article"))]).toEqual([]);
  });

  it("works in a generator, between what it streams", async () => {
    await using flock = new Flock();
    writer(flock).run(async function* ({ Topic: { title } }, { publish }) {
      yield "first ";
      await publish(Outline({ title }));
      yield "second";
      return Article({ title });
    });
    await (await flock.invoke("writer", [topic])).done;
    const { frames } = await flock.log.read(0, flock.log.head, undefined, Number.POSITIVE_INFINITY);
    const types = [...textsOf(frames)].map((text) => JSON.parse(text) as FlockEvent).map(({ type }) => type);
    const streamed = types.indexOf("streaming_output");
    expect(types.indexOf("artifact_published", streamed)).toBeLessThan(types.indexOf("streaming_output", streamed + 1));
    expect(await flock.store.getByType(Article)).toHaveLength(1);
  });

  it("of a candidate of bestOf publishes only with the best one, at the end", async () => {
    await using flock = new Flock();
    let tries = 0;
    const early: unknown[] = [];
    writer(flock)
      .bestOf(2, (drafts) => (drafts.some(({ payload }) => payload.title === "2") ? 1 : 0))
      .run(async (_, { publish }) => {
        const title = `${++tries}`;
        early.push(await publish(Outline({ title })).catch((error: unknown) => error));
        publish(Outline({ title }), { atEnd: true });
        return Article({ title });
      });
    expect(await (await flock.invoke("writer", [topic])).done).toMatchObject({ status: "success" });
    expect(early).toMatchObject([{ code: "wrong_output" }, { code: "wrong_output" }]);
    expect(await flock.store.getByType(Outline)).toEqual([{ title: "2" }]);
    expect(await flock.store.getByType(Article)).toEqual([{ title: "2" }]);
  });

  it("is not lost by a cache: a run that published before its end is computed each time", async () => {
    await using flock = new Flock();
    writer(flock)
      .use(cache())
      .run(async ({ Topic: { title } }, { publish }) => {
        if (title === "held") publish(Outline({ title }), { atEnd: true });
        else await publish(Outline({ title }));
        return [];
      });
    const held = Topic({ title: "held" });
    for (const input of [topic, topic, held, held]) await (await flock.invoke("writer", [input])).done;
    const titles = (await flock.store.getByType(Outline)).map(({ title }) => title);
    expect(titles.sort()).toEqual(["Truffles", "Truffles", "held", "held"]);
  });

  it("accepts only the types that the agent declares, and returns the type of the draft", () => {
    const flock = new Flock();
    writer(flock).run((_, { publish }) => {
      const right = () => publish(Outline({ title: "x" }));
      expectTypeOf(right).returns.resolves.toEqualTypeOf<StoredArtifact<"Outline", { title: string }> | undefined>();
      // @ts-expect-error a Topic is not declared
      const wrong = () => publish(Topic({ title: "x" }));
      expectTypeOf(wrong).toBeFunction();
      return [];
    });
  });
});
