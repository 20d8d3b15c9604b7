import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, type FlockError, history, visibility } from "../index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const Wine = artifact("Wine", z.string());

const textsOf = (earlier: readonly { readonly payload: unknown }[]) =>
  earlier.map(({ payload }) => (payload as { text?: string }).text ?? payload);

/** Runs an agent with this history and returns the earlier artifacts that it received. */
async function given(options: Parameters<typeof history>[0], before: (flock: Flock) => Promise<unknown>) {
  await using flock = new Flock();
  let earlier: readonly { readonly type: string; readonly payload: unknown }[] = [];
  flock.register(Pizza, Wine);
  flock
    .agent("chef")
    .consumes(Idea, { where: ({ payload }) => payload.text === "now" })
    .context({ earlier: history(options) })
    .run((_, context) => void (earlier = context.given.earlier));
  await before(flock);
  await flock.publish(Idea({ text: "now" }), { correlationId: "this" });
  await flock.runUntilIdle();
  return earlier;
}

const ideas = (count: number) => async (flock: Flock) => {
  for (let i = 1; i <= count; i++) await flock.publish(Idea({ text: `${i}` }), { correlationId: "this" });
};

describe("history", () => {
  it("returns the run's workflow, oldest first, without the consumed artifacts", async () => {
    const earlier = await given({}, async (flock) => {
      await ideas(3)(flock);
      await flock.publish(Idea({ text: "elsewhere" }), { correlationId: "other" });
    });
    expect(textsOf(earlier)).toEqual(["1", "2", "3"]);
    expect(earlier[0]).toEqual({
      type: "Idea",
      payload: { text: "1" },
      producedBy: "external",
      tags: [],
      createdAt: expect.any(String),
    });
  });

  it("returns the whole blackboard with correlation false", async () => {
    const earlier = await given({ correlation: false }, (flock) =>
      flock.publish(Idea({ text: "elsewhere" }), { correlationId: "other" }),
    );
    expect(textsOf(earlier)).toEqual(["elsewhere"]);
  });

  it("returns only the newest artifacts", async () => {
    expect(textsOf(await given({ newest: 2 }, ideas(5)))).toEqual(["4", "5"]);
  });

  it("filters by types, tags and producers", async () => {
    const before = async (flock: Flock) => {
      await flock.publish(Pizza({ name: "Tartufo" }), { correlationId: "this", tags: ["good", "late"] });
      await flock.publish(Wine("Barolo"), { correlationId: "this", tags: ["good"] });
      await ideas(1)(flock);
    };
    expect(textsOf(await given({ types: [Wine, Idea] }, before))).toEqual(["Barolo", "1"]);
    expect(textsOf(await given({ tags: ["good", "late"] }, before))).toEqual([{ name: "Tartufo" }]);
    expect(await given({ producedBy: ["sommelier"] }, before)).toEqual([]);
  });

  it("drops the oldest artifacts beyond the limit, and skips one that can never fit", async () => {
    const size = JSON.stringify({
      type: "Idea",
      payload: { text: "1" },
      producedBy: "external",
      tags: [],
      createdAt: new Date().toISOString(),
    }).length;
    expect(textsOf(await given({ maxCharacters: 2 * size }, ideas(5)))).toEqual(["4", "5"]);
    const earlier = await given({ maxCharacters: 2 * size }, async (flock) => {
      await ideas(1)(flock);
      await flock.publish(Idea({ text: "x".repeat(10_000) }), { correlationId: "this" });
    });
    expect(textsOf(earlier)).toEqual(["1"]);
  });

  it("returns only what the agent may see", async () => {
    await using flock = new Flock();
    const found: Record<string, unknown> = {};
    for (const [name, labels] of Object.entries({ cleared: ["cellar"], other: [] })) {
      flock
        .agent(name)
        .labels(...labels)
        .consumes(Idea)
        .context({ earlier: history({ types: [Wine], correlation: false }) })
        .run((_, { given: { earlier } }) => void (found[name] = textsOf(earlier)));
    }
    await flock.publish(Wine("Barolo"), { visibility: visibility.labelled("cellar") });
    await flock.publish(Wine("house red"));
    await flock.publish(Idea({ text: "now" }));
    await flock.runUntilIdle();
    expect(found).toEqual({ cleared: ["Barolo", "house red"], other: ["house red"] });
  });

  it("names an invalid option", () => {
    expect(() => history({ newest: 0 })).toThrow(/history: newest/);
    expect(() => history({ types: ["Idea"] as never })).toThrow(/types\.0: must be an artifact type/);
  });
});

describe("context providers", () => {
  it("provide typed results before a plain function or a generator starts", async () => {
    await using flock = new Flock();
    const seen: unknown[] = [];
    const declare = (name: string) =>
      flock
        .agent(name)
        .consumes(Idea)
        .context({ earlier: history({ types: [Pizza] }), weather: async () => "rain" as const })
        .context({ agent: ({ agent }) => agent });
    declare("plain").run((_, { given: { earlier, weather, agent } }) => {
      expectTypeOf<(typeof earlier)[number]["payload"]>().toEqualTypeOf<{ name: string }>();
      expectTypeOf(weather).toEqualTypeOf<"rain">();
      expectTypeOf(agent).toEqualTypeOf<string>();
      seen.push([agent, weather, earlier]);
    });
    declare("generator").run(async function* (_, { given: { agent } }) {
      yield "piece ";
      seen.push(agent);
    });
    await flock.publish(Idea({ text: "x" }));
    await flock.runUntilIdle();
    expect(seen.toSorted()).toEqual(["generator", ["plain", "rain", []]].toSorted());
    expect(flock.stats().runs.success).toBe(2);
  });

  it("end the run with their name when they throw", async () => {
    await using flock = new Flock();
    let hasRun = false;
    flock
      .agent("chef")
      .consumes(Idea)
      .context({ weather: () => Promise.reject(new Error("no forecast")) })
      .run(() => void (hasRun = true));
    const { status, error } = await (await flock.invoke("chef", [Idea({ text: "x" })])).done;
    expect(status).toBe("error");
    expect(error).toMatchObject({
      name: "context_failed" satisfies FlockError["code"],
      message: "Context provider `weather` of agent `chef` failed: no forecast",
    });
    expect(hasRun).toBe(false);
  });

  it("do not delay the end of a run that times out", async () => {
    await using flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .timeout(20)
      .context({ never: () => new Promise(() => {}) })
      .run(() => {});
    expect(await (await flock.invoke("chef", [Idea({ text: "x" })])).done).toMatchObject({ status: "timeout" });
  });

  it("must be functions", () => {
    expect(() => new Flock().agent("chef").context({ weather: "rain" as never })).toThrow(
      /weather: must be a function/,
    );
  });
});
