import { OWNER } from "@flock-ts/protocol";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { artifact, Flock, FlockError } from "../../index.ts";
import { ask, offlineModel } from "./index.ts";

const Idea = artifact("Idea", z.object({ text: z.string().min(1) }));
const Pizza = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));

const errorOf = async (run: () => unknown): Promise<FlockError> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof FlockError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("agent without run", () => {
  it("becomes active with the first publish", async () => {
    await using flock = new Flock({ model: offlineModel() });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    expect(flock.agents()).toEqual([]);
    const { triggeredAgents } = await flock.publish(Idea({ text: "truffle" }));
    expect(triggeredAgents).toEqual(["chef"]);
    await flock.runUntilIdle();
    const [pizza] = await flock.store.getByType(Pizza);
    expect(pizza?.name).toMatch(/^\[offline\] truffle/);
  });

  it.for<[string, (flock: Flock) => Promise<unknown>]>([
    ["invoke", (flock) => flock.invoke("chef", [Idea({ text: "truffle" })])],
    ["runUntilIdle", (flock) => flock.runUntilIdle()],
    ["serve", (flock) => flock.serve({ port: 0 })],
    ["a publish from outside", (flock) => flock.wire.publish({ artifact_type: "Idea", payload: { text: "x" } }, OWNER)],
    ["several publishes at once", (flock) => Promise.all([1, 2].map((n) => flock.publish(Idea({ text: `${n}` }))))],
  ])("becomes active with the first %s", async ([, begin]) => {
    await using flock = new Flock({ model: offlineModel() });
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    await begin(flock);
    expect(flock.agents().map(({ name }) => name)).toEqual(["chef"]);
  });

  it("works with function agents and other model agents", async () => {
    const Menu = artifact("Menu", z.object({ title: z.string() }));
    await using flock = new Flock({ model: offlineModel() });
    const names: string[] = [];
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    flock
      .agent("waiter")
      .consumes(Menu)
      .run(({ Menu: menu }) => void names.push(menu.title));
    flock.agent("printer").consumes(Pizza).publishes(Menu);
    await flock.publish(Idea({ text: "truffle" }));
    await flock.runUntilIdle();
    expect(names).toHaveLength(1);
  });

  it("repeats its answer for the same question and seed", async () => {
    const names = [];
    for (const seed of [1, 1, 2]) {
      await using flock = new Flock({ model: offlineModel({ seed }) });
      flock.agent("chef").consumes(Idea).publishes(Pizza);
      await flock.publish(Idea({ text: "artichokes, capers, anchovies, olives, basil and a little lemon" }));
      await flock.runUntilIdle();
      names.push(JSON.stringify(await flock.store.getByType(Pizza)));
    }
    expect(names[0]).toBe(names[1]);
    expect(names[0]).not.toBe(names[2]);
  });

  it("ends with status timeout, with or without a function", async () => {
    await using flock = new Flock({ model: offlineModel({ delayMs: 60_000 }) });
    flock.agent("chef").consumes(Idea).publishes(Pizza).timeout(20);
    flock
      .agent("cook")
      .consumes(Pizza)
      .timeout(20)
      .run(() => new Promise<void>(() => {}));
    for (const [agent, input] of [
      ["chef", Idea({ text: "x" })],
      ["cook", Pizza({ name: "x", toppings: [] })],
    ] as const) {
      const { status, error } = await (await flock.invoke(agent, [input])).done;
      expect(status).toBe("timeout");
      expect(error).toMatchObject({
        name: "RunTimedOut",
        message: `Agent \`${agent}\` was stopped: it took longer than 20 ms. Pass \`ctx.signal\` to what it calls, or raise \`.timeout(ms)\`.`,
      });
    }
    expect(flock.stats().runs.timeout).toBe(2);
  });
});

describe("incomplete declarations", () => {
  it.for<[string, (flock: Flock) => unknown, RegExp]>([
    [
      "no run and no model",
      (flock) => flock.agent("chef").consumes(Idea).publishes(Pizza),
      /Agent `chef` is incomplete: it has no `run` function and no model\. .*\.run\(.*\.model\(.*new Flock\({ model }\)/,
    ],
    [
      "a model but no output",
      (flock) => flock.agent("chef").consumes(Idea).model(offlineModel()),
      /Agent `chef` is incomplete: it has a model but publishes nothing\. .*\.publishes\(/,
    ],
    [
      "a model but no input",
      (flock) => flock.agent("chef").publishes(Pizza).model(offlineModel()),
      /Agent `chef` is incomplete: .*\.consumes\(/,
    ],
  ])("%s", async ([, declare, message]) => {
    const flock = new Flock();
    declare(flock);
    const error = await errorOf(() => flock.publish(Idea({ text: "x" })));
    expect(error).toMatchObject({ code: "agent_incomplete", message: expect.stringMatching(message) });
  });

  it("name an unavailable model", async () => {
    const flock = new Flock({ model: "acme/large" });
    await flock.publish(Idea({ text: "no model needed yet" }));
    flock.agent("chef").consumes(Idea).publishes(Pizza);
    const error = await errorOf(() => flock.runUntilIdle());
    expect(error).toMatchObject({ code: "model_unavailable", message: expect.stringContaining("`acme`") });
  });

  it("reject a value that is not a model", async () => {
    const nonsense = { model: 7 } as never;
    expect((await errorOf(() => new Flock(nonsense))).message).toMatch(/model: must be an AI SDK model/);
    expect((await errorOf(() => new Flock().agent("chef").model({} as never))).code).toBe("invalid_options");
    expect((await errorOf(() => new Flock().agent("chef").timeout(0))).code).toBe("invalid_options");
  });

  it("cannot change an active agent", async () => {
    await using flock = new Flock({ model: offlineModel() });
    const chef = flock.agent("chef").consumes(Idea).publishes(Pizza);
    await flock.runUntilIdle();
    expect((await errorOf(() => chef.tags("late"))).message).toMatch(/`chef` cannot be changed/);
    expect((await errorOf(() => chef.run(() => []))).code).toBe("agent_incomplete");
    expect((await errorOf(() => flock.agent("chef"))).code).toBe("duplicate_agent");
  });
});

describe("ask", () => {
  const Judgement = artifact("Judgement", z.object({ edible: z.boolean(), reason: z.string() }));

  it("asks the flock's model and returns a draft of the type", async () => {
    await using flock = new Flock({ model: offlineModel() });
    flock
      .agent("taster")
      .consumes(Pizza)
      .publishes(Judgement)
      .run(async (_inputs, context) => {
        const judgement = await ask(context, Judgement, { instructions: "Would you eat it?" });
        expectTypeOf(judgement.payload).toEqualTypeOf<{ edible: boolean; reason: string }>();
        return judgement;
      });
    const { done } = await flock.invoke("taster", [Pizza({ name: "Tartufo", toppings: ["truffle"] })]);
    const { status, usage } = await done;
    expect(status).toBe("success");
    expect(usage?.total_tokens).toBeGreaterThan(0);
    expect(await flock.store.getByType(Judgement)).toHaveLength(1);
  });

  it("explains a missing model", async () => {
    await using flock = new Flock();
    flock
      .agent("taster")
      .consumes(Pizza)
      .publishes(Judgement)
      .run((_inputs, context) => ask(context, Judgement));
    const { done } = await flock.invoke("taster", [Pizza({ name: "Tartufo", toppings: [] })]);
    expect((await done).error?.message).toMatch(/Agent `taster` has no model.*\.model\(/);
  });
});
