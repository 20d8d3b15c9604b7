import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventsOf } from "../../../../tests/support/events.ts";
import {
  artifact,
  type Draft,
  Flock,
  type RunContext,
  type RunEnd,
  type StoredArtifact,
  type VisibilityRequest,
  visibility,
} from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { AgentComponent, type CacheOptions, cache } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string(), extra: z.record(z.string(), z.number()).default({}) }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));

/** Creates a chef with a cache that counts its actual runs. */
function kitchen(options: CacheOptions = {}, bake: (text: string, count: number) => string = (text) => text) {
  const clock = fakeClock();
  const flock = new Flock({ clock });
  let count = 0;
  flock
    .agent("chef")
    .labels("a", "b")
    .use(cache(options))
    .consumes(Idea)
    .publishes(Pizza, { validate: ({ name }) => (name === "burnt" ? "it is burnt" : true) })
    .run(({ Idea: { text } }) => Pizza({ name: bake(text, ++count) }));
  return {
    clock,
    flock,
    count: () => count,
    async cook(text: string, extra: Record<string, number> = {}, seenBy?: VisibilityRequest): Promise<RunEnd> {
      const { done } = await flock.invoke("chef", [Idea({ text, extra })], { visibility: seenBy });
      return done;
    },
    [Symbol.asyncDispose]: () => flock.shutdown(),
  };
}

describe("cache", () => {
  it("reuses the output for the same inputs, with its own artifact and usage", async () => {
    await using k = kitchen();
    const first = await k.cook("truffle", { x: 1, y: 2 });
    const second = await k.cook("truffle", { y: 2, x: 1 });
    expect(k.count()).toBe(1);
    expect(first.usage).toBeUndefined();
    expect(second).toMatchObject({ status: "success", usage: { cached: 1 } });
    expect(second.produced).toHaveLength(1);
    expect(second.produced).not.toEqual(first.produced);
    expect(await k.flock.store.getByType(Pizza)).toEqual([{ name: "truffle" }, { name: "truffle" }]);
    await k.cook("basil");
    expect(k.count()).toBe(2);
  });

  it("separates inputs with different visibilities", async () => {
    await using k = kitchen();
    const all = [visibility.public, visibility.labelled("a"), visibility.labelled("b"), visibility.privateTo("chef")];
    for (const seenBy of all) await k.cook("secret", {}, seenBy);
    expect(k.count()).toBe(4);
    for (const seenBy of all) await k.cook("secret", {}, seenBy);
    expect(k.count()).toBe(4);
  });

  it("separates agents that share it", async () => {
    const shared = cache();
    await using flock = new Flock();
    for (const name of ["one", "two"]) {
      flock
        .agent(name)
        .use(shared)
        .consumes(Idea)
        .publishes(Pizza)
        .run(() => Pizza({ name }));
    }
    await flock.publish(Idea({ text: "x" }));
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    expect((await flock.store.getByType(Pizza)).map(({ name }) => name).sort()).toEqual(["one", "one", "two", "two"]);
  });

  it("expires entries", async () => {
    await using k = kitchen({ ttl: 1_000 });
    await k.cook("truffle");
    await k.clock.advance(999);
    await k.cook("truffle");
    expect(k.count()).toBe(1);
    await k.clock.advance(1);
    await k.cook("truffle");
    expect(k.count()).toBe(2);
  });

  it("evicts the least recently used entry", async () => {
    await using k = kitchen({ max: 2 });
    for (const text of ["a", "b", "a", "c"]) await k.cook(text);
    expect(k.count()).toBe(3);
    await k.cook("a");
    expect(k.count()).toBe(3);
    await k.cook("b");
    expect(k.count()).toBe(4);
  });

  it("does not keep output that failed or cannot be published", async () => {
    await using k = kitchen({}, (text, count) => {
      if (count === 1) throw new Error("out of gas");
      return count === 2 ? "burnt" : text;
    });
    expect((await k.cook("truffle")).error?.message).toBe("out of gas");
    expect((await k.cook("truffle")).error?.message).toBe("it is burnt");
    expect((await k.cook("truffle")).status).toBe("success");
    expect((await k.cook("truffle")).usage).toEqual({ cached: 1 });
    expect(k.count()).toBe(3);
  });

  it("uses a custom key", async () => {
    await using k = kitchen({ key: ([idea]) => JSON.stringify(idea?.payload).toLowerCase().slice(0, 16) });
    await k.cook("Truffle", { x: 1 });
    await k.cook("TRUFFLE", { x: 2 });
    expect(k.count()).toBe(1);
  });

  it("reports cache hits in the event's usage", async () => {
    await using k = kitchen();
    await k.cook("truffle");
    await k.cook("truffle");
    const completed = eventsOf(k.flock, "agent_execution_completed");
    expect(completed.map(({ usage }) => usage)).toEqual([undefined, { cached: 1 }]);
  });

  it.for([{ ttl: 0 }, { max: 0 }, { key: "text" }, { size: 1 }])("rejects invalid options: %o", (options) => {
    expect(() => cache(options as never)).toThrow(/^Invalid options for cache: /);
  });

  it("compares inputs by value, also those with maps", async () => {
    const tally = z.codec(z.array(z.tuple([z.string(), z.number()])), z.map(z.string(), z.number()), {
      decode: (entries) => new Map(entries),
      encode: (map) => [...map],
    });
    const Votes = artifact("Votes", z.object({ votes: tally }));
    await using flock = new Flock();
    const winners: (string | undefined)[] = [];
    flock
      .agent("counter")
      .use(cache())
      .consumes(Votes)
      .publishes(Pizza)
      .run(({ Votes: { votes } }) => {
        const [name = ""] = [...votes].sort(([, a], [, b]) => b - a)[0] ?? [];
        winners.push(name);
        return Pizza({ name });
      });
    for (const votes of [[["basil", 2]], [["truffle", 3]], [["basil", 2]]] as [string, number][][]) {
      await (await flock.invoke("counter", [Votes({ votes })])).done;
    }
    expect(winners).toEqual(["basil", "truffle"]);
    expect(await flock.store.getByType(Pizza)).toEqual([{ name: "basil" }, { name: "truffle" }, { name: "basil" }]);
  });

  it("does not cache runs whose inputs another component has made incomparable", async () => {
    class Opaque extends AgentComponent {
      readonly name = "opaque";
      override consume(artifacts: readonly StoredArtifact[]) {
        return artifacts.map((one) => ({ ...one, payload: { text: one.payload, seen: new Map() } }));
      }
    }
    await using flock = new Flock();
    let runs = 0;
    flock
      .agent("chef")
      .use(new Opaque(), cache())
      .consumes(Idea)
      .run(() => void runs++);
    for (let i = 0; i < 2; i++) await (await flock.invoke("chef", [Idea({ text: "x" })])).done;
    expect(runs).toBe(2);
  });

  it("never returns an output that a later run or another component has changed", async () => {
    class Thief extends AgentComponent {
      readonly name = "thief";
      override readonly priority = 1;
      override async evaluate(_run: RunContext, next: () => Promise<readonly Draft[]>) {
        const drafts = await next();
        return (drafts as Draft[]).splice(0);
      }
    }
    await using flock = new Flock();
    flock
      .agent("chef")
      .use(new Thief(), cache())
      .consumes(Idea)
      .publishes(Pizza)
      .run(() => Pizza({ name: "x" }));
    for (let i = 0; i < 3; i++) await (await flock.invoke("chef", [Idea({ text: "x" })])).done;
    expect(await flock.store.getByType(Pizza)).toHaveLength(3);
  });

  it("refuses a key that is not a string: all objects would share one entry", async () => {
    expect(() => cache({ key: (async () => "x") as never })).toThrow("key: must be a plain function, not async");
    await using k = kitchen({ key: () => ({}) as string });
    expect((await k.cook("truffle")).error?.message).toMatch(
      /Invalid result of `key` of the cache: it returned an object/,
    );
  });
});
