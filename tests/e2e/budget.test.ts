import { tool } from "ai";
import { Flock } from "flock-ts";
import { budget, cache } from "flock-ts/components/agents";
import { ask, resolveModel } from "flock-ts/engines/ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Answer, callsTool, hangs, ModelServer, says, saysJson } from "../support/model-server.ts";
import { Idea, Pizza } from "../support/pizzeria.ts";

const PIZZA = { name: "Tartufo", toppings: ["truffle", "fontina"] };

/** Creates a chef on a server with these answers; each costs ten tokens plus its own. */
async function kitchen(component: ReturnType<typeof budget>, ...answers: [Answer, ...Answer[]]) {
  const server = await ModelServer.start(...answers);
  const model = await resolveModel("openai/test-model", { OPENAI_BASE_URL: server.url });
  const flock = new Flock({ model, components: [component] });
  return {
    server,
    flock,
    async cook() {
      const { done } = await flock.invoke("chef", [Idea({ description: "truffle" })]);
      return done;
    },
    async [Symbol.asyncDispose]() {
      await flock.shutdown();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("budget with a model over HTTP", () => {
  it("stops calling the model when it is exhausted", async () => {
    await using k = await kitchen(budget({ tokens: 15, per: "agent" }), saysJson(PIZZA));
    k.flock.agent("chef").consumes(Idea).publishes(Pizza);
    expect((await k.cook()).status).toBe("success");
    expect(await k.cook()).toMatchObject({ status: "error", error: { name: "budget_exceeded" } });
    expect(k.server.requests).toHaveLength(1);
  });

  it("stops a run between two tool calls", async () => {
    await using k = await kitchen(budget({ tokens: 25, per: "run" }), callsTool("taste", { what: "truffle" }));
    let tasted = 0;
    k.flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .tools({
        taste: tool({
          description: "Tastes something",
          inputSchema: z.object({ what: z.string() }),
          execute: async () => {
            tasted += 1;
            return "earthy";
          },
        }),
      });
    // Eleven tokens per step: the third of up to sixteen steps exceeds the budget.
    expect(await k.cook()).toMatchObject({
      status: "error",
      error: { name: "budget_exceeded" },
      usage: { total_tokens: 33 },
    });
    await k.flock.runUntilIdle();
    expect(tasted).toBeLessThanOrEqual(3);
    expect(k.server.requests.length).toBeLessThanOrEqual(4);
  });

  it("does not ask again after an invalid answer that exceeded it", async () => {
    await using k = await kitchen(budget({ tokens: 12, per: "run" }), says(["I ", "would ", "rather ", "not"]));
    k.flock.agent("chef").consumes(Idea).publishes(Pizza);
    expect((await k.cook()).error?.name).toBe("budget_exceeded");
    expect(k.server.requests).toHaveLength(1);
  });

  it("aborts the current request when the run exceeds it", async () => {
    await using k = await kitchen(
      budget({ cost: 1, per: "run", prices: { "openai/test-model": { input: 1, output: 1 } } }),
      hangs("thinking"),
    );
    k.flock
      .agent("chef")
      .consumes(Idea)
      .publishes(Pizza)
      .run(async (_, context) => {
        const asked = ask(context, Pizza);
        await k.server.requested(1);
        context.addUsage({ cost: 1.5 });
        return asked;
      });
    expect(await k.cook()).toMatchObject({ status: "error", error: { name: "budget_exceeded" } });
    await k.server.gaveUp();
  });
});

it("a cache calls the model once for the same input", async () => {
  await using k = await kitchen(cache(), saysJson(PIZZA));
  k.flock.agent("chef").consumes(Idea).publishes(Pizza);
  for (let i = 0; i < 3; i++) expect((await k.cook()).status).toBe("success");
  expect(k.server.requests).toHaveLength(1);
  expect(await k.flock.store.getByType(Pizza)).toEqual([PIZZA, PIZZA, PIZZA]);
});
