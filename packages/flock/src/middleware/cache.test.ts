import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventsOf } from "../../../../tests/support/events.ts";
import { artifact, Flock, type RunEnd, type VisibilityRequest, visibility } from "../index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type CacheOptions, cache } from "./index.ts";

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
});
