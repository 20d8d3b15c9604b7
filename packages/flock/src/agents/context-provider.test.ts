import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, type FlockError, history, visibility } from "../index.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Pizza = artifact("Pizza", z.object({ name: z.string() }));
const Wine = artifact("Wine", z.string());

const textsOf = (earlier: readonly { readonly payload: unknown }[]) =>
  earlier.map(({ payload }) => (payload as { text?: string }).text ?? payload);

/** Runs an agent with this history on an idea, and gives what it was given. */
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

describe("the history that a run is given", () => {
  it("is of its own workflow, oldest first, without what the run consumes", async () => {
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

  it("is of the whole blackboard when it need not be of the workflow", async () => {
    const earlier = await given({ correlation: false }, (flock) =>
      flock.publish(Idea({ text: "elsewhere" }), { correlationId: "other" }),
    );
    expect(textsOf(earlier)).toEqual(["elsewhere"]);
  });

  it("is the newest only", async () => {
    expect(textsOf(await given({ newest: 2 }, ideas(5)))).toEqual(["4", "5"]);
  });

  it("is of the types, tags and producers that are named", async () => {
    const before = async (flock: Flock) => {
      await flock.publish(Pizza({ name: "Tartufo" }), { correlationId: "this", tags: ["good", "late"] });
      await flock.publish(Wine("Barolo"), { correlationId: "this", tags: ["good"] });
      await ideas(1)(flock);
    };
    expect(textsOf(await given({ types: [Wine, Idea] }, before))).toEqual(["Barolo", "1"]);
    expect(textsOf(await given({ tags: ["good", "late"] }, before))).toEqual([{ name: "Tartufo" }]);
    expect(await given({ producedBy: ["sommelier"] }, before)).toEqual([]);
  });

  it("is no longer than it may be: the oldest goes first, and one that never fits hides nobody", async () => {
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

  it("is what the agent may see, whatever it asks for", async () => {
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

  it("names an option that is wrong", () => {
    expect(() => history({ newest: 0 })).toThrow(/history: newest/);
    expect(() => history({ types: ["Idea"] as never })).toThrow(/types\.0: must be an artifact type/);
  });
});

describe("what a provider gives", () => {
  it("is typed, and there before the function begins, whatever kind of function it is", async () => {
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

  it("ends the run when it throws, with its name", async () => {
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
      message: 'agent chef: its context "weather" failed: no forecast',
    });
    expect(hasRun).toBe(false);
  });

  it("does not hold up a run that is cancelled, or takes too long", async () => {
    await using flock = new Flock();
    flock
      .agent("chef")
      .consumes(Idea)
      .timeout(20)
      .context({ never: () => new Promise(() => {}) })
      .run(() => {});
    expect(await (await flock.invoke("chef", [Idea({ text: "x" })])).done).toMatchObject({ status: "timeout" });
  });

  it("has to be a function", () => {
    expect(() => new Flock().agent("chef").context({ weather: "rain" as never })).toThrow(
      /weather: must be a function/,
    );
  });
});
